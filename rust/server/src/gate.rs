//! A gate for tests: requests wait at it until the test opens it, and the test can wait until they are there. It stands
//! in for sleeping and hoping.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by the test and the server; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Inner { arrived: watch::Sender::new(0), open: watch::Sender::new(false) }))
    }

    /// Waits until at least `count` requests have reached the gate (they need not be waiting still).
    pub async fn arrived(&self, count: usize) {
        let mut arrived = self.0.arrived.subscribe();
        arrived.wait_for(|arrived| *arrived >= count).await.expect("the sender lives in self");
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.0.arrived.send_modify(|arrived| *arrived += 1);
        let mut open = self.0.open.subscribe();
        open.wait_for(|open| *open).await.expect("the sender lives in self");
    }
}
