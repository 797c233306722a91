//! A proxy between an AWS client and an emulator. It knows service and operation of every call, and can do to it what
//! networks and services do ([`fault`]), and what real AWS does where an emulator is kinder ([`Behaviour`]).
//!
//! It does not know what makes the calls, nor whether they are signed rightly.

#![expect(clippy::disallowed_methods, reason = "a test program has the machine's clock")]

pub mod call;
mod cbor;
pub mod error;
pub mod fault;
pub mod http;
pub mod memory;
pub mod permissions;
pub mod real;

use std::io::{self, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use call::Call;
use fault::{Fault, Faults, What};
use http::{Request, Response};

/// What real AWS does and the emulator does not. Each is written down with its source, where it is implemented.
pub trait Behaviour: Send + Sync {
    /// The name it is asked for by.
    fn name(&self) -> &'static str;

    /// What AWS answers before it does anything. `None`: the emulator is asked.
    fn before(&self, _call: &Call) -> Option<Response> {
        None
    }

    /// Sees what was answered, by the emulator or by a behaviour, and may change it into what AWS would have.
    fn after(&self, _call: &Call, _answer: &mut Response) {}

    /// What is still under way because of it. Nothing, once its caller has waited for all that it set off.
    fn unsettled(&self) -> Vec<String> {
        Vec::new()
    }

    /// How often it made a difference; of a rule that forbids something, how often it judged a call.
    fn strikes(&self) -> usize;
}

/// What sees the lines of a log.
pub type Watch = Box<dyn Fn(&Line) + Send + Sync>;

/// What a proxy does to the calls that come through.
#[derive(Default)]
pub struct Script {
    pub faults: Vec<Fault>,
    /// For faults by chance.
    pub seed: u64,
    pub behaviours: Vec<Arc<dyn Behaviour>>,
    /// Ends the caller, for [`What::KillBefore`] and [`What::KillAfter`].
    pub kill: Option<Box<dyn Fn() + Send + Sync>>,
    /// Sees every line of the log as it is written.
    pub watch: Option<Watch>,
}

/// What became of one call.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: usize,
    /// `sqs.CreateQueue`.
    pub call: String,
    pub faults: Vec<What>,
    /// The status that the client got; `None` where it got no whole answer.
    pub status: Option<u16>,
    /// Milliseconds from the proxy's start to the call, and to the end of its answer.
    pub from_ms: u128,
    pub to_ms: u128,
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    script: Script,
    faults: Mutex<Faults>,
    calls: AtomicUsize,
    lines: Mutex<Vec<Line>>,
    is_stopped: AtomicBool,
    start: Instant,
}

impl Proxy {
    /// Starts a proxy on a free port of the loopback interface, in front of `http://127.0.0.1:4566`.
    ///
    /// # Errors
    ///
    /// The upstream is no address of plain HTTP, or no port can be listened on.
    pub fn start(upstream: &str, script: Script) -> io::Result<Self> {
        Self::start_on(0, upstream, script)
    }

    /// The same on a port of the caller's choice.
    pub fn start_on(port: u16, upstream: &str, script: Script) -> io::Result<Self> {
        let upstream = upstream.strip_prefix("http://").map(|it| it.trim_end_matches('/').to_owned());
        let upstream =
            upstream.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the upstream is no http:// URL"))?;
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let address = listener.local_addr()?;
        let faults = Mutex::new(Faults::new(script.faults.clone(), script.seed));
        let shared = Arc::new(Shared {
            upstream,
            script,
            faults,
            calls: AtomicUsize::new(0),
            lines: Mutex::default(),
            is_stopped: AtomicBool::new(false),
            start: Instant::now(),
        });
        let for_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if for_listener.is_stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&for_listener);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// The URL to give to the client.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came through so far, in the order of its end.
    pub fn log(&self) -> Vec<Line> {
        held(&self.shared.lines).clone()
    }

    /// How many calls have come so far.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_stopped.store(true, Ordering::SeqCst);
        // The listener sees it at its next connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    /// Answers the calls of one connection, one after the other, until it ends or is broken.
    fn serve(&self, stream: TcpStream) {
        // A connection that breaks is what this is about: whoever called sees it on their side.
        let _ = stream.set_nodelay(true).and_then(|()| self.answer_all(stream));
    }

    fn answer_all(&self, stream: TcpStream) -> io::Result<()> {
        let mut requests = BufReader::new(stream.try_clone()?);
        let mut stream = stream;
        while let Some(request) = http::read_request(&mut requests)? {
            if self.is_stopped.load(Ordering::SeqCst) {
                return Ok(());
            }
            let from_ms = self.start.elapsed().as_millis();
            let call = Call::read(self.calls.fetch_add(1, Ordering::SeqCst) + 1, request);
            let faults = held(&self.faults).of(&call);
            let ending = self.decide(&call, &faults);
            let status = match &ending {
                Ending::Answer(response) => Some(response.status),
                Ending::CutShort(_) | Ending::Broken => None,
            };
            let line = Line {
                number: call.number,
                call: call.name(),
                faults,
                status,
                from_ms,
                to_ms: self.start.elapsed().as_millis(),
            };
            if let Some(watch) = &self.script.watch {
                watch(&line);
            }
            held(&self.lines).push(line);
            match ending {
                Ending::Answer(response) => http::answer(&response, &mut stream)?,
                Ending::CutShort(response) => return http::answer_cut_short(&response, &mut stream),
                Ending::Broken => {
                    drop(requests);
                    return http::reset(stream);
                }
            }
        }
        Ok(())
    }

    /// What befalls a call, and what its caller gets.
    fn decide(&self, call: &Call, faults: &[What]) -> Ending {
        for fault in faults {
            match fault {
                What::Drop => return Ending::Broken,
                What::Throttle => return Ending::Answer(error::throttle(call)),
                What::Fail(status) => return Ending::Answer(error::failure(call, *status)),
                What::Delay(time) => thread::sleep(*time),
                What::KillBefore => {
                    self.kill();
                    return Ending::Broken;
                }
                What::Lose | What::CutShort | What::FailAfter(_) | What::KillAfter => {}
            }
        }
        let response = match self.ask(call) {
            Ok(response) => response,
            Err(_) => return Ending::Broken,
        };
        for fault in faults {
            match fault {
                What::Lose => return Ending::Broken,
                What::CutShort => return Ending::CutShort(response),
                What::FailAfter(status) => return Ending::Answer(error::failure(call, *status)),
                What::KillAfter => {
                    self.kill();
                    return Ending::Broken;
                }
                What::Drop | What::Throttle | What::Fail(_) | What::Delay(_) | What::KillBefore => {}
            }
        }
        Ending::Answer(response)
    }

    /// What AWS would answer.
    fn ask(&self, call: &Call) -> io::Result<Response> {
        let refused = self.script.behaviours.iter().find_map(|behaviour| behaviour.before(call));
        let mut response = match refused {
            Some(response) => response,
            None => self.forward(&call.request)?,
        };
        for behaviour in &self.script.behaviours {
            behaviour.after(call, &mut response);
        }
        Ok(response)
    }

    fn forward(&self, request: &Request) -> io::Result<Response> {
        http::forward(request, &self.upstream)
    }

    fn kill(&self) {
        if let Some(kill) = &self.script.kill {
            kill();
        }
    }
}

enum Ending {
    Answer(Response),
    CutShort(Response),
    Broken,
}

/// The lock, though somebody may have panicked under it: a test wants to see its own failure.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
