//! A way to the database that breaks when it is told to.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const PIECES_PAUSE: Duration = Duration::from_millis(200);

/// What goes wrong with the next question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is answered, and the answer does not arrive.
    LoseAnswer,
    /// Only half of it arrives.
    LoseQuestion,
    /// It arrives, and the server does not notice that nobody waits for the answer.
    BreakOurEnd,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    address: SocketAddr,
    next: Arc<Mutex<Option<Fault>>>,
    faults: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) async fn start(host: String, port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            next: Arc::default(),
            faults: Arc::default(),
        };
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                let theirs = TcpStream::connect((&*host, port)).await.unwrap();
                tokio::spawn(accepting.clone().pass(ours, theirs));
            }
        });
        proxy
    }

    pub(crate) const fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn fail_next(&self, fault: Fault) {
        *self.next.lock().unwrap() = Some(fault);
        self.faults.store(0, Ordering::SeqCst);
    }

    /// How many happened since the last was asked for.
    pub(crate) fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }

    async fn pass(self, mut ours: TcpStream, mut theirs: TcpStream) {
        let (mut question, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            tokio::select! {
                read = ours.read(&mut question) => match read {
                    Ok(length @ 1..) => {
                        let happens = self.take(|fault| fault != Fault::LoseAnswer);
                        let passed = match happens {
                            Some(Fault::LoseQuestion) => length / 2,
                            _ => length,
                        };
                        theirs.write_all(&question[..passed]).await.unwrap();
                        match happens {
                            Some(Fault::BreakOurEnd) => {
                                // A question may come in several pieces.
                                while let Ok(Ok(length @ 1..)) =
                                    timeout(PIECES_PAUSE, ours.read(&mut question)).await
                                {
                                    theirs.write_all(&question[..length]).await.unwrap();
                                }
                                drop(ours);
                                // It stays open until the server closes it.
                                let _ = theirs.read(&mut answer).await;
                                return;
                            }
                            Some(_) => return,
                            None => (),
                        }
                    }
                    _ => return,
                },
                read = theirs.read(&mut answer) => match read {
                    Ok(length @ 1..) => {
                        if self.take(|fault| fault == Fault::LoseAnswer).is_some() {
                            return;
                        }
                        if ours.write_all(&answer[..length]).await.is_err() {
                            return;
                        }
                    }
                    _ => return,
                },
            }
        }
    }

    fn take(&self, is_meant: impl Fn(Fault) -> bool) -> Option<Fault> {
        let taken = self.next.lock().unwrap().take_if(|fault| is_meant(*fault));
        self.faults
            .fetch_add(usize::from(taken.is_some()), Ordering::SeqCst);
        taken
    }
}
