//! Connections on which a client takes its time: whoever has asked for nothing for a while loses theirs.
//!
//! The framework waits so and so long for the first head on a connection and for silence, and for ever
//! for a later head or the rest of an unread body that keep dripping, and for who takes an answer byte
//! by byte. So each thread keeps a list of its connections, with when each last had something to do,
//! and closes those whose time is over from outside, by a second handle on the socket.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceResponse};
use actix_web::web::Bytes;
use socket2::Socket;

/// A client that takes its answer more slowly than this has no use of it.
const ANSWER_BYTES_PER_SECOND: u64 = 1024;

const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// One connection, as its requests know it.
pub(crate) struct Connection(Rc<Watched>);

struct Watched {
    socket: Socket,
    idle_max: Duration,
    /// Requests that are being answered.
    at_work: Cell<usize>,
    rests_until: Cell<Instant>,
}

/// A request is being answered, for as long as this lives.
pub(crate) struct AtWork(Rc<Watched>);

thread_local! {
    static WATCHED: RefCell<Vec<Weak<Watched>>> = const { RefCell::new(Vec::new()) };
    static IS_SWEPT: Cell<bool> = const { Cell::new(false) };
}

/// To be called with each new connection. One that cannot be watched is served all the same.
pub(crate) fn watch(
    idle_max: Duration,
) -> impl Fn(&dyn Any, &mut Extensions) + Clone + Send + Sync {
    move |stream, extensions| {
        let stream = stream.downcast_ref::<tokio::net::TcpStream>();
        let socket = stream.and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
        if let Some(socket) = socket {
            let watched = Rc::new(Watched {
                socket: socket.into(),
                idle_max,
                at_work: Cell::new(0),
                rests_until: Cell::new(Instant::now() + idle_max),
            });
            WATCHED.with_borrow_mut(|all| all.push(Rc::downgrade(&watched)));
            extensions.insert(Connection(watched));
            if !IS_SWEPT.replace(true) {
                actix_web::rt::spawn(sweep());
            }
        }
    }
}

/// Closes those whose time is over, and forgets those that have ended; ends with its thread.
async fn sweep() {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        let now = Instant::now();
        WATCHED.with_borrow_mut(|all| {
            all.retain(|watched| match watched.upgrade() {
                Some(watched) => !watched.is_closed_at(now),
                None => false,
            });
        });
    }
}

impl Connection {
    /// Of a request that has just come in.
    pub(crate) fn begin(request: &HttpRequest) -> Option<AtWork> {
        let Self(watched) = request.conn_data::<Self>()?;
        watched.at_work.set(watched.at_work.get() + 1);
        Some(AtWork(Rc::clone(watched)))
    }
}

impl Watched {
    fn is_closed_at(&self, now: Instant) -> bool {
        let is_over = self.at_work.get() == 0 && now >= self.rests_until.get();
        if is_over {
            tracing::debug!("a connection that asked for nothing is closed");
            // It may have ended by itself just now.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
        is_over
    }
}

impl AtWork {
    /// An answer of a known size is given out at once, and the client has its time to take it. A stream is
    /// work until it ends.
    pub(crate) fn until_taken(
        self,
        response: ServiceResponse<BoxBody>,
    ) -> ServiceResponse<BoxBody> {
        match response.response().body().size() {
            BodySize::Sized(bytes) => {
                let taken_in = Duration::from_secs(bytes / ANSWER_BYTES_PER_SECOND);
                self.rest(self.0.idle_max + taken_in);
                response
            }
            BodySize::None => response,
            BodySize::Stream => response.map_body(|_, body| {
                BoxBody::new(Streamed {
                    body,
                    _at_work: self,
                })
            }),
        }
    }

    fn rest(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        self.0.rests_until.set(self.0.rests_until.get().max(until));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.set(self.0.at_work.get() - 1);
        self.rest(self.0.idle_max);
    }
}

struct Streamed {
    body: BoxBody,
    _at_work: AtWork,
}

impl MessageBody for Streamed {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}
