//! What goes on inside of a piece of work: what it waits for, and which calls it makes. Told to whoever listens; nothing of it
//! changes what is done.
//!
//! Work that goes on at once is told apart by who is being polled. So that this is true, all work of one observer is polled in
//! one task of the runtime, as the executor does.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::aws::calls::word;
use crate::aws::clock::Clock;

/// A piece of work, by the number that whoever gives it out has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct WorkId(pub usize);

/// What a piece of work asks that waits for other work of the same run on the same thing.
pub const TURN: &str = "turn";

/// With what the words for a wait begin that is for a published rate.
pub const RATE: &str = "the API's rate";

/// Something that a piece of work waits for, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub by: WorkId,
    /// In the clock's monotonic time.
    pub at: Duration,
    /// `dynamodb.DescribeTable`.
    pub operation: String,
    /// In words, `the table to be at rest`; `None` when the wait is over.
    pub waiting_for: Option<String>,
}

/// One attempt of one call, from the moment it was wanted to its answer, with its wait for the API's rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The work that it was made for; reading the stack is nobody's.
    pub by: Option<WorkId>,
    pub service: String,
    pub operation: String,
    /// The first of a call is 1.
    pub number: u32,
    /// In the clock's monotonic time.
    pub start: Duration,
    pub end: Duration,
    pub has_failed: bool,
    /// When it ended.
    pub at: Timestamp,
    /// By which AWS's own logs know it.
    pub request_id: Option<String>,
}

/// Where work tells what it is at; its clones tell the same listener.
#[derive(Clone)]
pub struct Observer(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    at_work: Mutex<Option<WorkId>>,
    listener: Mutex<Option<UnboundedSender<Wait>>>,
    attempts: Mutex<Option<Vec<Attempt>>>,
}

impl Observer {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let (at_work, listener, attempts) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { clock, at_work, listener, attempts }))
    }

    /// From now on, what work waits for; whoever listened before hears nothing more.
    pub fn listen(&self) -> Waits {
        let (sender, receiver) = unbounded_channel();
        *held(&self.0.listener) = Some(sender);
        Waits(receiver)
    }

    /// From now on, keeps every attempt.
    pub fn keep_attempts(&self) {
        held(&self.0.attempts).get_or_insert_default();
    }

    /// The attempts that were kept, in the order in which they ended.
    pub fn attempts(&self) -> Vec<Attempt> {
        held(&self.0.attempts).clone().unwrap_or_default()
    }

    /// The same work; what it tells is told as its own.
    pub fn at_work<'a, T>(&self, by: WorkId, work: BoxFuture<'a, T>) -> AtWork<'a, T> {
        AtWork { observer: self.clone(), by, work }
    }

    /// Tells that whoever is at work waits, until what this gives is dropped.
    pub fn waits(&self, operation: &str, waiting_for: String) -> Waiting {
        let by = *held(&self.0.at_work);
        self.tell(by, operation, Some(waiting_for));
        Waiting { observer: self.clone(), by, operation: operation.to_owned() }
    }

    fn tell(&self, by: Option<WorkId>, operation: &str, waiting_for: Option<String>) {
        let listener = held(&self.0.listener);
        if let (Some(by), Some(listener)) = (by, listener.as_ref()) {
            let (at, operation) = (self.0.clock.monotonic(), operation.to_owned());
            // Where nobody listens any more, there is nobody to tell.
            let _ = listener.send(Wait { by, at, operation, waiting_for });
        }
    }

    fn keep(&self, attempt: Attempt) {
        if let Some(attempts) = held(&self.0.attempts).as_mut() {
            attempts.push(attempt);
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What work waits for, as it comes.
pub struct Waits(UnboundedReceiver<Wait>);

impl Waits {
    /// The next one; `None` when there is nobody left to tell of any.
    pub async fn next(&mut self) -> Option<Wait> {
        self.0.recv().await
    }
}

/// A wait that goes on until this is dropped.
pub struct Waiting {
    observer: Observer,
    by: Option<WorkId>,
    operation: String,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.observer.tell(self.by, &self.operation, None);
    }
}

/// A piece of work whose waits and calls are told as its own.
pub struct AtWork<'a, T> {
    observer: Observer,
    by: WorkId,
    work: BoxFuture<'a, T>,
}

impl<T> Future for AtWork<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let by = self.by;
        let before = held(&self.observer.0.at_work).replace(by);
        let polled = self.work.as_mut().poll(cx);
        *held(&self.observer.0.at_work) = before;
        polled
    }
}

/// When an attempt began, and for whom.
#[derive(Debug, Clone, Copy)]
struct Began(Option<WorkId>, Duration);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

/// Sees every attempt of every call, as an interceptor of each client.
impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "Observer"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let began = Began(*held(&self.0.at_work), self.0.clock.monotonic());
        config.interceptor_state().store_put(began);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(Began(by, start)), Some(call)) = (config.load::<Began>().copied(), config.load::<Metadata>()) else {
            return Ok(());
        };
        self.keep(Attempt {
            by,
            service: word(call.service()),
            operation: call.name().to_owned(),
            number: config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts),
            start,
            end: self.0.clock.monotonic(),
            has_failed: matches!(context.output_or_error(), Some(Err(_))),
            at: self.0.clock.now(),
            request_id: context.response().and_then(request_id),
        });
        Ok(())
    }
}

/// What AWS calls a request: each service in a header of its own ("Request IDs" in the SDK's guide).
fn request_id(response: &HttpResponse) -> Option<String> {
    let names = ["x-amzn-requestid", "x-amz-request-id", "x-amzn-request-id"];
    names.into_iter().find_map(|name| response.headers().get(name)).map(str::to_owned)
}

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Observer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join;

    use super::*;
    use crate::aws::clock::SystemClock;

    async fn works(observer: &Observer, what: &str) {
        let _waiting = observer.waits("sqs.GetQueueUrl", what.to_owned());
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    async fn work_that_goes_on_at_once_is_told_apart() {
        let observer = Observer::new(Arc::new(SystemClock::start()));
        let mut waits = observer.listen();
        let work = |number: usize, what| observer.at_work(WorkId(number), Box::pin(works(&observer, what)));
        join(work(1, "one"), work(2, "two")).await;
        let mut told = Vec::new();
        for _ in 0..4 {
            let Wait { by, waiting_for, .. } = waits.next().await.expect("four are told");
            told.push((by.0, waiting_for));
        }
        let [one, two] = ["one", "two"].map(|it| Some(it.to_owned()));
        assert_eq!(told, [(1, one), (2, two), (1, None), (2, None)]);
    }
}
