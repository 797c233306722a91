//! How often AWS lets its APIs be called.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::call::{Call, Service};
use crate::error::throttle;
use crate::http::Response;
use crate::real::{Pace, Strikes};
use crate::{Behaviour, held};

/// The behaviours of this file.
pub(super) fn all(pace: Pace) -> Vec<Arc<dyn Behaviour>> {
    vec![
        Arc::new(Rates::new(Service::ApiGateway, pace)),
        Arc::new(Rates::new(Service::CloudWatch, pace)),
        Arc::new(Rates::new(Service::Wafv2, pace)),
    ]
}

/// A service's published rates, for each account and region: what comes too often is throttled.
///
/// "Real AWS behaviour" 1.6 and 13.8, 13.9, 13.12 ("Amazon API Gateway quotas", "AWS WAF quotas", "CloudWatch service quotas").
pub struct Rates {
    service: Service,
    pace: Pace,
    buckets: Mutex<HashMap<(String, String, &'static str), Bucket>>,
    strikes: Strikes,
}

/// So many calls at once, and then one in so many seconds.
struct Rate {
    of: &'static str,
    burst: f64,
    seconds: f64,
}

const fn rate(of: &'static str, burst: f64, seconds: f64) -> Rate {
    Rate { of, burst, seconds }
}

/// What counts for all operations of a service together.
const TOGETHER: &str = "";

const API_GATEWAY: [Rate; 5] = [
    rate("CreateDeployment", 1.0, 5.0),
    rate("CreateRestApi", 1.0, 3.0),
    rate("DeleteRestApi", 1.0, 30.0),
    rate("UpdateUsagePlan", 1.0, 20.0),
    rate(TOGETHER, 40.0, 0.1),
];
const CLOUDWATCH: [Rate; 2] = [rate("DeleteAlarms", 3.0, 1.0 / 3.0), rate("PutMetricAlarm", 3.0, 1.0 / 3.0)];
const WAF: [Rate; 8] = [
    rate("CreateIPSet", 1.0, 1.0),
    rate("CreateWebACL", 1.0, 1.0),
    rate("DeleteIPSet", 1.0, 1.0),
    rate("DeleteWebACL", 1.0, 1.0),
    rate("PutLoggingConfiguration", 1.0, 1.0),
    rate("UpdateIPSet", 1.0, 1.0),
    rate("UpdateWebACL", 1.0, 1.0),
    rate("AssociateWebACL", 1.0, 2.0),
];

/// How many calls may come now.
struct Bucket {
    left: f64,
    at: Instant,
}

impl Rates {
    pub fn new(service: Service, pace: Pace) -> Self {
        Self { service, pace, buckets: Mutex::default(), strikes: Strikes::default() }
    }

    fn rates(&self) -> &'static [Rate] {
        match self.service {
            Service::ApiGateway => &API_GATEWAY,
            Service::CloudWatch => &CLOUDWATCH,
            Service::Wafv2 => &WAF,
            _ => &[],
        }
    }
}

impl Behaviour for Rates {
    fn name(&self) -> &'static str {
        match self.service {
            Service::ApiGateway => "apigateway-rates",
            Service::CloudWatch => "cloudwatch-rates",
            Service::Wafv2 => "waf-rates",
            _ => "rates",
        }
    }

    fn before(&self, call: &Call) -> Option<Response> {
        if call.service != self.service {
            return None;
        }
        let mut buckets = held(&self.buckets);
        let counts = |rate: &&Rate| rate.of == call.operation || rate.of == TOGETHER;
        let is_too_much = self.rates().iter().filter(counts).any(|rate| {
            let key = (call.account.clone(), call.region.clone(), rate.of);
            let bucket = buckets.entry(key).or_insert_with(|| Bucket { left: rate.burst, at: Instant::now() });
            let refilled = bucket.at.elapsed().as_secs_f64() / self.pace.seconds(rate.seconds).as_secs_f64();
            *bucket = Bucket { left: (bucket.left + refilled).min(rate.burst), at: Instant::now() };
            let is_too_much = bucket.left < 1.0;
            if !is_too_much {
                bucket.left -= 1.0;
            }
            is_too_much
        });
        self.strikes.with(is_too_much.then(|| throttle(call)))
    }

    fn strikes(&self) -> usize {
        self.strikes.count()
    }
}
