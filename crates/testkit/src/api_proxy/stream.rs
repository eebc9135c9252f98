//! One watch stream, event by event.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::json;
use tokio::sync::{mpsc, watch};

use super::answer::{Parcel, status};
use super::view::{Change, Ending, Event, Treatment, View};

type Piece = Result<Bytes, io::Error>;

/// The events of `body` as the view lets them through.
pub(super) fn filtered(body: Body, view: Arc<View>) -> Parcel {
    let (sender, receiver) = mpsc::channel(64);
    // Before the first event: nothing that changes from now on is missed.
    let changes = view.changes();
    let stream = Stream {
        view,
        changes,
        held: Vec::new(),
        sender,
    };
    tokio::spawn(stream.pump(body));
    let pieces = futures::stream::unfold(receiver, async |mut receiver| {
        let piece: Piece = receiver.recv().await?;
        Some((piece.map(Frame::data), receiver))
    });
    StreamBody::new(pieces).boxed_unsync()
}

struct Stream {
    view: Arc<View>,
    changes: watch::Receiver<Change>,
    held: Vec<Bytes>,
    sender: mpsc::Sender<Piece>,
}

/// The stream is over.
struct Over;

impl Stream {
    async fn pump(mut self, body: Body) {
        let began = self.changes.borrow_and_update().ended.map(|(ends, _)| ends);
        let mut upstream = body.into_data_stream();
        let mut buffer = BytesMut::new();
        loop {
            let sender = self.sender.clone();
            let step = tokio::select! {
                chunk = upstream.next() => match chunk {
                    Some(Ok(chunk)) => {
                        buffer.extend_from_slice(&chunk);
                        self.lines(&mut buffer).await
                    }
                    _ => Err(Over),
                },
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.changed(began).await,
                    Err(_) => Err(Over),
                },
                () = sender.closed() => Err(Over),
            };
            if step.is_err() {
                return;
            }
        }
    }

    async fn lines(&mut self, buffer: &mut BytesMut) -> Result<(), Over> {
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(end + 1).freeze();
            self.event(line).await?;
        }
        Ok(())
    }

    async fn event(&mut self, line: Bytes) -> Result<(), Over> {
        let Some(event) = Event::parse(&line) else {
            return self.send(line).await;
        };
        match event.kind.as_str() {
            // It would say that what is held was delivered.
            "BOOKMARK" if !self.held.is_empty() => return Ok(()),
            "BOOKMARK" | "ERROR" => return self.send(line).await,
            _ => {}
        }
        match self.view.treatment(&event) {
            Treatment::Pass => self.send(line).await,
            Treatment::Drop => Ok(()),
            Treatment::Hold => {
                self.held.push(line);
                Ok(())
            }
            Treatment::Twice => {
                self.send(line.clone()).await?;
                self.send(line).await
            }
        }
    }

    async fn changed(&mut self, began: Option<u64>) -> Result<(), Over> {
        let change = *self.changes.borrow_and_update();
        if let Some((ends, ending)) = change.ended
            && Some(ends) != began
        {
            return self.end(ending).await;
        }
        let mut held = std::mem::take(&mut self.held);
        if change.reversed {
            held.reverse();
        }
        for line in held {
            self.event(line).await?;
        }
        Ok(())
    }

    async fn end(&mut self, ending: Ending) -> Result<(), Over> {
        let last = match ending {
            Ending::Cut => Err(io::Error::other("cut")),
            Ending::Gone => {
                let event = json!({"type": "ERROR", "object": status(410)});
                Ok(Bytes::from(format!("{event}\n")))
            }
        };
        // The receiver may be gone, which is an end too.
        let _ = self.sender.send(last).await;
        Err(Over)
    }

    async fn send(&self, line: Bytes) -> Result<(), Over> {
        self.sender.send(Ok(line)).await.map_err(|_| Over)
    }
}
