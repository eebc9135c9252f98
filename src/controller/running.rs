//! The reconciles that run, at most one of each object.
//!
//! They run beside kube's controller, not in it: it polls each of its own whenever one of them
//! continues, which with hundreds of them takes more than half of the operator's CPU time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};

use super::places::Reference;

type Work = BoxFuture<'static, ()>;

/// The reconciles of one watch.
pub(super) struct Running {
    objects: Mutex<HashSet<Reference>>,
    started: UnboundedSender<Work>,
    turns: UnboundedSender<Reference>,
}

impl Running {
    /// Returns the reconciles, none yet, and the future that runs them. It is done when nothing can
    /// start one any more and the last has ended. An object whose reconcile ends gets a turn.
    pub(super) fn new(turns: UnboundedSender<Reference>) -> (Arc<Self>, Work) {
        let (started, starts) = unbounded::<Work>();
        let running = Self {
            objects: Mutex::default(),
            started,
            turns,
        };
        let all = starts.for_each_concurrent(None, |work| work);
        (Arc::new(running), all.boxed())
    }

    /// Whether a reconcile of the object runs. It gets a turn when that ends.
    pub(super) fn contains(&self, reference: &Reference) -> bool {
        self.lock().contains(reference)
    }

    /// Starts a reconcile of an object of which none runs.
    pub(super) fn start(
        self: &Arc<Self>,
        reference: Reference,
        reconcile: impl Future<Output = ()> + Send + 'static,
    ) {
        self.lock().insert(reference.clone());
        let running = Arc::clone(self);
        let work = async move {
            reconcile.await;
            running.lock().remove(&reference);
            let _ = running.turns.unbounded_send(reference);
        };
        // The receivers are dropped with the watch, when nothing is reconciled any more.
        let _ = self.started.unbounded_send(work.boxed());
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Reference>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::oneshot;

    use super::*;

    #[test]
    fn an_object_gets_its_turn_when_its_reconcile_ends() {
        let (turn, mut turns) = unbounded();
        let (running, mut reconciles) = Running::new(turn);
        let [a, b] = ["a", "b"].map(|name| Reference::new(name).within("n"));
        let (end, ended) = oneshot::channel();
        running.start(a.clone(), async { ended.await.unwrap() });
        running.start(b.clone(), async {});
        assert!((&mut reconciles).now_or_never().is_none());
        assert!(running.contains(&a) && !running.contains(&b));
        assert_eq!(turns.next().now_or_never().flatten(), Some(b));
        assert_eq!(turns.next().now_or_never().flatten(), None);
        end.send(()).unwrap();
        assert!((&mut reconciles).now_or_never().is_none());
        assert!(!running.contains(&a));
        assert_eq!(turns.next().now_or_never().flatten(), Some(a));
    }

    #[test]
    fn is_done_once_the_last_reconcile_has_ended() {
        let (running, mut reconciles) = Running::new(unbounded().0);
        let (end, ended) = oneshot::channel();
        running.start(Reference::new("a"), async { ended.await.unwrap() });
        drop(running);
        assert!((&mut reconciles).now_or_never().is_none());
        end.send(()).unwrap();
        assert!(reconciles.now_or_never().is_some());
    }
}
