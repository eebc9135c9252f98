//! The report of a broken rule.

use testkit::judge::Violation;

use crate::observer::{Known, Observer};
use crate::replicas::Replicas;

/// How many are reported in full.
const MOST: usize = 3;

/// Prints the first broken rules, each with all that is known of its object.
pub fn broken(observer: &Observer, replicas: &Replicas) {
    let known = observer.lock();
    for violation in known.judge.violations.iter().take(MOST) {
        println!("{}", known.describe(violation));
        let life = violation
            .life
            .as_ref()
            .and_then(|life| known.judge.lives.get(life));
        if let Some(object) = life.and_then(|life| life.latest()) {
            let name = object.metadata.name.clone().unwrap_or_default();
            let named = [
                format!("{name}\""),
                format!("{name} "),
                object.spec.index_name.clone(),
            ];
            println!("{}", replicas.log_lines(&named));
        }
    }
}

impl Known {
    /// The violation, with all that is known about its object.
    pub fn describe(&self, violation: &Violation) -> String {
        let mut text = format!("{} {violation}\n", violation.at);
        let Some(biography) = violation
            .life
            .as_ref()
            .and_then(|life| self.judge.lives.get(life))
        else {
            return text;
        };
        text += &biography.describe();
        let Some(object) = biography.latest() else {
            return text;
        };
        let job = object
            .status
            .as_ref()
            .and_then(|s| s.restore_job_id.clone());
        let names = [Some(object.spec.index_name.clone()), job];
        for request in &self.recent {
            let body = request
                .body
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let mentions = |name: &String| request.path.contains(name) || body.contains(name);
            if names.iter().flatten().any(mentions) {
                text += &format!(
                    "  request {} {} {} -> {:?} effect {} delivered {}\n",
                    request.time,
                    request.method,
                    request.path,
                    request.status,
                    request.effect,
                    request.delivered
                );
            }
        }
        text
    }
}
