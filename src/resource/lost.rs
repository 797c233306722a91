//! Work whose answer was lost. Whether it was done, nobody can say before looking; and everything that handlers do looks
//! first and may be repeated. So it is done again, as the next run of the command would.
//!
//! Calls that are safe to repeat have been repeated by then: see [`retry`](crate::aws::retry).

use crate::aws::clock::Clock;
use crate::aws::error::{AwsError, ErrorClass};
use crate::aws::wait::{Patience, while_passing};

/// Begins with a pause that is long enough for lists and tags to show what was made a moment ago.
const AGAIN: Patience = Patience::lagging(300);

/// Does the work, and again while its error leaves open what of it was done.
pub async fn until_answered<T, F>(clock: &dyn Clock, work: impl Fn() -> F) -> Result<T, AwsError>
where
    F: Future<Output = Result<T, AwsError>> + Send,
{
    match work().await {
        Err(error) if leaves_open(&error) => {
            clock.sleep(AGAIN.pause(0, clock.jitter())).await;
            while_passing(clock, AGAIN, leaves_open, work).await
        }
        answer => answer,
    }
}

/// No answer, or one that says that the thing is there, or changed, already: by the call whose answer was lost, maybe. What
/// paystack itself finds in the way has no code.
fn leaves_open(error: &AwsError) -> bool {
    match error.class {
        ErrorClass::Unreachable | ErrorClass::Service => true,
        ErrorClass::AlreadyExists | ErrorClass::Conflict => !error.code.is_empty(),
        ErrorClass::NotFound
        | ErrorClass::Throttled
        | ErrorClass::Quota
        | ErrorClass::Denied
        | ErrorClass::Credentials
        | ErrorClass::Invalid
        | ErrorClass::Deadline => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures::future::BoxFuture;

    use super::*;

    const HELD: &str = "no test goes on after a panic under this lock";

    /// Time passes where somebody sleeps.
    #[derive(Default)]
    struct Napping(Mutex<Duration>);

    impl Clock for Napping {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            *self.0.lock().expect(HELD)
        }

        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            *self.0.lock().expect(HELD) += duration;
            Box::pin(std::future::ready(()))
        }
    }

    fn error(class: ErrorClass, code: &str) -> AwsError {
        AwsError { code: code.to_owned(), ..AwsError::new("apigateway.CreateResource", class, "") }
    }

    /// How often work is done that ends so the first time and well the second time, and when.
    async fn times_and_seconds(first: AwsError) -> (u32, u64) {
        let (clock, times) = (Napping::default(), Mutex::new(0));
        let work = || async {
            *times.lock().expect(HELD) += 1;
            if *times.lock().expect(HELD) == 1 { Err(first.clone()) } else { Ok(()) }
        };
        // Whether it ended well follows from how often it was done.
        let _ = until_answered(&clock, work).await;
        (times.into_inner().expect(HELD), clock.monotonic().as_secs())
    }

    #[tokio::test]
    async fn what_may_have_been_done_is_looked_at_again_when_lists_have_caught_up() {
        for lost in [
            error(ErrorClass::Unreachable, ""),
            error(ErrorClass::Service, "InternalFailure"),
            error(ErrorClass::Conflict, "ConflictException"),
            error(ErrorClass::AlreadyExists, "EntityAlreadyExists"),
        ] {
            assert_eq!(times_and_seconds(lost.clone()).await, (2, 6), "{lost:?}");
        }
    }

    #[tokio::test]
    async fn what_was_surely_not_done_and_what_is_somebody_elses_is_said_at_once() {
        for refused in [
            error(ErrorClass::Invalid, "BadRequestException"),
            error(ErrorClass::Throttled, "TooManyRequestsException"),
            error(ErrorClass::AlreadyExists, ""),
        ] {
            assert_eq!(times_and_seconds(refused.clone()).await, (1, 0), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn work_that_is_never_answered_ends_and_says_for_how_long_it_was_tried() {
        let work = || async { Err::<(), _>(error(ErrorClass::Unreachable, "")) };
        let error = until_answered(&Napping::default(), work).await.expect_err("never answered");
        assert_eq!(error.tried.map(|tried| (tried.times, tried.within.as_secs())), Some((51, 300)));
    }
}
