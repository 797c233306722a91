//! Where every attempt of every call passes before it is sent: it waits out the pause after the attempt that failed before
//! it, is counted, and waits until its API's rates let it go.
//!
//! The SDK's interceptors cannot wait, and an HTTP client comes after signing, so that long waits outlive signatures. Of
//! what comes before, only the cache of credentials waits, knows the operation, and is asked once for every attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, SharedIdentityCache, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::ApiRates;
use crate::aws::calls::{Counter, Why};
use crate::aws::clock::Clock;
use crate::aws::observer::Observer;
use crate::aws::rates;
use crate::aws::retry::Call;
use crate::aws::turnstile::Turnstile;
use crate::aws::wait;

/// The gate of one run; its clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    credentials: SharedIdentityCache,
    /// None where there are no rates to keep.
    turnstile: Option<Turnstile>,
    calls: Counter,
    clock: Arc<dyn Clock>,
    observer: Option<Observer>,
}

impl Gate {
    pub fn new(config: &SdkConfig, rates: ApiRates, calls: Counter, clock: Arc<dyn Clock>) -> Self {
        let turnstile = match (rates, config.endpoint_url()) {
            (ApiRates::WhereTheyExist, Some(_)) => None,
            (ApiRates::WhereTheyExist, None) | (ApiRates::Everywhere, _) => Some(Turnstile::default()),
        };
        let credentials = config.identity_cache().unwrap_or_else(|| IdentityCache::lazy().build());
        Self { credentials, turnstile, calls, clock, observer: None }
    }

    /// A gate that tells what waits at it.
    pub fn observed_by(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// A configuration whose clients all go through here.
    pub fn before(&self, config: &SdkConfig) -> SdkConfig {
        config.to_builder().identity_cache(self.clone()).build()
    }

    /// Gives the time for which the rates have held up the call.
    async fn pass(&self, service: &str, operation: &str, attempt: u32) -> Duration {
        let why = if attempt > 1 {
            Why::FailedBefore
        } else if wait::is_again() {
            Why::TooEarlyBefore
        } else {
            Why::Asks
        };
        self.calls.count(service, operation, why);
        match &self.turnstile {
            Some(turnstile) => {
                turnstile.pass(rates::Call { service, operation }, &*self.clock, self.observer.as_ref()).await
            }
            None => Duration::ZERO,
        }
    }
}

impl ResolveCachedIdentity for Gate {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let call = config.load::<Call>();
            let pause = call.map(Call::take_pause).unwrap_or_default();
            if !pause.is_zero() {
                self.clock.sleep(pause).await;
            }
            if let Some(name) = config.load::<Metadata>() {
                let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
                let held = self.pass(name.service(), name.name(), attempt).await;
                call.inspect(|call| call.held_up(held));
                wait::held_up(held);
            }
            self.credentials.resolve_cached_identity(resolver, components, config).await
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.credentials.validate_base_client_config(components, config)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.credentials.validate_final_config(components, config)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").field("turnstile", &self.turnstile).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    /// No time passes.
    struct Still;

    impl Clock for Still {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    /// How many of four deletions of APIs go at once.
    fn at_once(config: &SdkConfig, rates: ApiRates) -> usize {
        let calls = Counter::default();
        let gate = Gate::new(config, rates, calls.clone(), Arc::new(Still));
        let mut asked: Vec<_> = (0..4).map(|_| Box::pin(gate.pass("API Gateway", "DeleteRestApi", 1))).collect();
        let gone = asked.iter_mut().filter_map(|it| it.now_or_never()).count();
        assert_eq!(calls.so_far().attempts(), 4);
        gone
    }

    #[test]
    fn calls_to_aws_wait_for_its_rates() {
        assert_eq!(at_once(&SdkConfig::builder().build(), ApiRates::WhereTheyExist), 1);
    }

    #[test]
    fn calls_to_an_emulator_wait_only_where_they_are_told_to() {
        let emulator = SdkConfig::builder().endpoint_url("http://localhost:4566").build();
        assert_eq!(at_once(&emulator, ApiRates::WhereTheyExist), 4);
        assert_eq!(at_once(&emulator, ApiRates::Everywhere), 1);
    }
}
