//! What is told of a broken rule.

use crate::oracle::{Known, Oracle, Violation};
use crate::replicas::Replicas;

/// How many are told in full.
const MOST: usize = 3;

/// Prints the first broken rules, each with all that is known of its object.
pub fn broken(oracle: &Oracle, replicas: &Replicas) {
    let known = oracle.lock();
    for violation in known.broken.iter().take(MOST) {
        println!("{}", known.tell(violation));
        let life = violation
            .life
            .as_ref()
            .and_then(|life| known.lives.get(life));
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
    pub fn tell(&self, violation: &Violation) -> String {
        let mut text = format!(
            "{} BROKEN: {}\n  {}\n",
            violation.at, violation.rule, violation.detail
        );
        let Some(biography) = violation
            .life
            .as_ref()
            .and_then(|life| self.lives.get(life))
        else {
            return text;
        };
        text += &biography.tell();
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
