//! The real executor's work, done in no time: a writer that takes the time that AWS would take, by a clock that jumps.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::future::ready;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use paystack::apply::bound::Takes;
use paystack::apply::durations::typical_milliseconds;
use paystack::apply::{Done, End, Journal, Kind, Task, Unremembered, Work, Writer};
use paystack::aws::clock::Clock;
use paystack::aws::error::AwsError;
use paystack::aws::observer::Observer;
use paystack::aws::rates::Call;
use paystack::aws::turnstile::Turnstile;
use paystack::desired::Desired;
use paystack::identity::{PhysicalId, REF, ResourceType};
use paystack::plan::Step;
use paystack::resource::row;
use serde_json::Value;

/// How long a call is under way.
const CALL: Duration = Duration::from_millis(150);

/// What one task takes: the durations that paystack knows of AWS, of which all but two calls is waiting, and its call with a
/// published rate.
pub fn takes(task: &Task) -> Takes {
    takes_of(&task.resource_type, task.kind)
}

fn takes_of(resource_type: &ResourceType, kind: Kind) -> Takes {
    let whole = Duration::from_millis(typical_milliseconds(resource_type, kind));
    let calls: &[&str] = match (resource_type.as_str(), kind) {
        ("AWS::ApiGateway::RestApi", Kind::Create) => &["apigateway.CreateRestApi"],
        ("AWS::ApiGateway::Deployment", Kind::Create) => &["apigateway.CreateDeployment"],
        ("AWS::ApiGateway::Resource", Kind::Create) => &["apigateway.CreateResource"],
        ("AWS::ApiGateway::ApiKey", Kind::Create) => &["apigateway.CreateApiKey"],
        ("AWS::ApiGateway::Account", _) => &["apigateway.UpdateAccount"],
        ("AWS::ApiGateway::Method", Kind::Create) => &["apigateway.PutMethod", "apigateway.PutIntegration"],
        (name, _) if name.starts_with("AWS::ApiGateway::") => &["apigateway.PutGatewayResponse"],
        ("AWS::CloudWatch::Alarm", _) => &["cloudwatch.PutMetricAlarm"],
        ("AWS::CloudWatch::Dashboard", _) => &["cloudwatch.PutDashboard"],
        ("AWS::Lambda::Function", Kind::Create) => &["lambda.CreateFunction"],
        ("AWS::Lambda::Permission", Kind::Create) => &["lambda.AddPermission"],
        ("AWS::Lambda::LayerVersion", Kind::Create) => &["lambda.PublishLayerVersion"],
        ("AWS::Lambda::EventSourceMapping", Kind::Create) => &["lambda.CreateEventSourceMapping"],
        ("AWS::Logs::LogGroup", Kind::Create) => &["logs.CreateLogGroup"],
        ("AWS::SNS::Subscription", Kind::Create) => &["sns.Subscribe"],
        ("AWS::WAFv2::WebACL", Kind::Create) => &["wafv2.CreateWebACL"],
        ("AWS::WAFv2::WebACLAssociation", Kind::Create) => &["wafv2.AssociateWebACL"],
        ("AWS::WAFv2::LoggingConfiguration", _) => &["wafv2.PutLoggingConfiguration"],
        _ => &[],
    };
    let calls = calls.iter().filter_map(|call| Call::named(call)).collect();
    Takes { whole, waiting: whole.saturating_sub(CALL * 2), calls, after_calls: whole }
}

/// Does nothing, in the time that AWS would take for it.
pub struct Simulated<'a> {
    pub desired: &'a Desired,
    pub clock: SimulatedClock,
    pub rates: Turnstile,
    pub observer: Observer,
}

impl Writer for Simulated<'_> {
    fn run<'a>(&'a self, work: &'a Work) -> BoxFuture<'a, Result<Done, AwsError>> {
        Box::pin(async move {
            let (resource_type, kind) = match work {
                Work::Create { resource_type, .. } => (resource_type, Kind::Create),
                Work::Update { resource_type, .. } => (resource_type, Kind::Update),
                Work::Delete { resource_type, .. } => (resource_type, Kind::Delete),
            };
            let takes = takes_of(resource_type, kind);
            for call in &takes.calls {
                self.rates.pass(*call, &self.clock, Some(&self.observer)).await;
            }
            self.clock.sleep(takes.whole - takes.waiting).await;
            if !takes.waiting.is_zero() {
                let _waiting = self.observer.waits(resource_type.as_str(), "it to be ready".to_owned());
                self.clock.sleep(takes.waiting).await;
            }
            Ok(match work {
                Work::Create { owner, resource_type, wanted, .. } => {
                    let mut attributes = Arc::unwrap_or_clone(self.desired.predict(&owner.resource, wanted));
                    let names = row(resource_type).into_iter().flat_map(|row| row.facts().attributes());
                    for name in names.chain([REF]) {
                        let invented = || Value::String(format!("{}-{name}", owner.resource));
                        attributes.entry(name.to_owned()).or_insert_with(invented);
                    }
                    Done::Created { id: PhysicalId::from(owner.resource.as_str()), attributes }
                }
                Work::Update { id, .. } => Done::Updated { id: id.clone(), attributes: BTreeMap::new() },
                Work::Delete { .. } => Done::Deleted,
            })
        })
    }
}

/// Remembers nothing.
pub struct NoJournal;

impl Journal for NoJournal {
    fn start<'a>(&'a mut self, _: &'a [(&'a Step, &'a Value)]) -> BoxFuture<'a, Result<(), Unremembered>> {
        Box::pin(ready(Ok(())))
    }

    fn record<'a>(&'a mut self, _: &'a [End<'a>]) -> BoxFuture<'a, Result<(), Unremembered>> {
        Box::pin(ready(Ok(())))
    }
}

/// A clock whose time passes when nothing is left to do before the next moment that somebody waits for.
#[derive(Clone, Default)]
pub struct SimulatedClock(Arc<Mutex<Times>>);

#[derive(Default)]
struct Times {
    now: Duration,
    alarms: BinaryHeap<Reverse<(Duration, u64)>>,
    wakers: BTreeMap<u64, Waker>,
    given: u64,
}

impl Clock for SimulatedClock {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        held(&self.0).now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let mut times = held(&self.0);
        let until = times.now + duration;
        times.given += 1;
        let id = times.given;
        Box::pin(Nap { times: Arc::clone(&self.0), until, id, is_set: false })
    }
}

struct Nap {
    times: Arc<Mutex<Times>>,
    until: Duration,
    id: u64,
    is_set: bool,
}

impl Future for Nap {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (until, id) = (self.until, self.id);
        let was_set = std::mem::replace(&mut self.is_set, true);
        let mut times = held(&self.times);
        if times.now >= until {
            return Poll::Ready(());
        }
        if !was_set {
            times.alarms.push(Reverse((until, id)));
        }
        times.wakers.insert(id, context.waker().clone());
        Poll::Pending
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl SimulatedClock {
    /// Runs a future to its end, and gives how long that took in simulated time.
    pub fn run<F: Future>(&self, future: F) -> (F::Output, Duration) {
        let (woken, start) = (Arc::new(Woken(AtomicBool::new(true))), self.monotonic());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while woken.0.swap(false, Ordering::SeqCst) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return (output, self.monotonic() - start);
                }
            }
            let next = {
                let mut times = held(&self.0);
                let Some(Reverse((moment, id))) = times.alarms.pop() else { panic!("everybody waits for nothing") };
                times.now = times.now.max(moment);
                times.wakers.remove(&id)
            };
            if let Some(waker) = next {
                waker.wake();
            }
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
