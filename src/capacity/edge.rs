//! What the load passes before it reaches code: the firewall, keys, stages, and the account's share of API Gateway.

use super::{Hop, Load, number};
use crate::resolved::Resolved;

/// "Amazon API Gateway quotas": what all APIs of an account and region take together, in requests per second.
const ACCOUNT_RATE: f64 = 10_000.0;
/// "AWS WAF quotas" and "Rate-based rule statement": the window where none is set, in seconds.
const WINDOW: f64 = 300.0;

pub fn hops(resolved: &Resolved<'_>, load: &Load) -> Vec<Hop> {
    let mut hops = firewall(resolved, load);
    let has_api = resolved.of_type("AWS::ApiGateway::Stage").next().is_some();
    if has_api {
        let hop = load.hop(None, "requests per second of the account's APIs", load.rate, ACCOUNT_RATE);
        hops.push(hop.because(format!("{}/s", number(load.rate)), "Amazon API Gateway quotas"));
    }
    hops.extend(stages(resolved, load));
    hops.extend(plans(resolved, load));
    hops
}

fn firewall(resolved: &Resolved<'_>, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for acl in resolved.of_type("AWS::WAFv2::WebACL") {
        for rule in acl.properties["Rules"].as_array().into_iter().flatten() {
            let statement = &rule["Statement"]["RateBasedStatement"];
            let Some(limit) = statement["Limit"].as_f64() else { continue };
            // A rule that only counts stops nobody.
            if rule["Action"]["Block"].is_null()
                && rule["Action"]["Challenge"].is_null()
                && rule["Action"]["Captcha"].is_null()
            {
                continue;
            }
            let window = statement["EvaluationWindowSec"].as_f64().unwrap_or(WINDOW);
            let addresses =
                if statement["AggregateKeyType"] == "CONSTANT" { 1.0 } else { f64::from(load.addresses.max(1)) };
            let needed = load.rate * window / addresses;
            let name = rule["Name"].as_str().unwrap_or_default();
            let hop = load.hop(
                Some(acl.id()),
                format!("requests of one address in {} s, rule {name}", number(window)),
                needed,
                limit,
            );
            let arithmetic = format!("{}/s × {} s / {}", number(load.rate), number(window), number(addresses));
            hops.push(hop.because(arithmetic, "`Limit` of the rate-based rule"));
        }
    }
    hops
}

fn stages(resolved: &Resolved<'_>, load: &Load) -> Vec<Hop> {
    let mut hops = Vec::new();
    for stage in resolved.of_type("AWS::ApiGateway::Stage") {
        for setting in stage.properties["MethodSettings"].as_array().into_iter().flatten() {
            let method = format!(
                "{} {}",
                setting["HttpMethod"].as_str().unwrap_or("*"),
                setting["ResourcePath"].as_str().unwrap_or("/*")
            );
            let limits = [
                ("ThrottlingRateLimit", "requests per second", format!("{}/s", number(load.rate))),
                ("ThrottlingBurstLimit", "requests at once", format!("{}/s × 1 s", number(load.rate))),
            ];
            for (property, what, arithmetic) in limits {
                let Some(limit) = setting[property].as_f64() else { continue };
                let hop = load.hop(Some(stage.id()), format!("{what}, {method}"), load.rate, limit);
                hops.push(hop.because(arithmetic, format!("`{property}` in `MethodSettings`")));
            }
        }
    }
    hops
}

fn plans(resolved: &Resolved<'_>, load: &Load) -> Vec<Hop> {
    let keys = f64::from(load.keys.max(1));
    let per_key = load.rate / keys;
    let mut hops = Vec::new();
    for plan in resolved.of_type("AWS::ApiGateway::UsagePlan") {
        let throttle = &plan.properties["Throttle"];
        let limits = [
            ("RateLimit", "requests per second of one key", format!("{}/s / {}", number(load.rate), number(keys))),
            ("BurstLimit", "requests of one key at once", format!("{}/s × 1 s / {}", number(load.rate), number(keys))),
        ];
        for (property, what, arithmetic) in limits {
            let Some(limit) = throttle[property].as_f64() else { continue };
            hops.push(
                load.hop(Some(plan.id()), what, per_key, limit).because(arithmetic, format!("`Throttle.{property}`")),
            );
        }
        let quota = &plan.properties["Quota"];
        let days = match quota["Period"].as_str() {
            Some("DAY") => 1.0,
            Some("WEEK") => 7.0,
            Some("MONTH") => 30.0,
            _ => continue,
        };
        let Some(limit) = quota["Limit"].as_f64() else { continue };
        let needed = per_key * 86_400.0 * days;
        let hop = load.hop(
            Some(plan.id()),
            format!("requests of one key in {}", super::number(days) + " days"),
            needed,
            limit,
        );
        let arithmetic = format!("{}/s × 86,400 s × {} / {}", number(load.rate), number(days), number(keys));
        hops.push(hop.because(arithmetic, "`Quota.Limit`"));
    }
    hops
}
