//! `paystack capacity`: whether the template carries a load, with the arithmetic.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;
use jiff::SignedDuration;

use crate::aws::limits;
use crate::capacity::{Account, Load, capacity};
use crate::cli::arguments::{Format, StackArguments};
use crate::cli::stack::{read, running};
use crate::cli::{CliError, Exit, World, view};
use crate::desired::{Desired, of_type};

#[derive(Debug, Clone, Args)]
pub struct CapacityArguments {
    #[command(flatten)]
    pub stack: StackArguments,
    /// What has to be carried: `10000/min`, `170/s`, `600000/h`.
    #[arg(long, value_name = "REQUESTS", value_parser = rate)]
    pub rate: f64,
    /// How long one run takes, of every function (`1s`, `250ms`) or of one (`ProcessPayment=400ms`).
    #[arg(long = "latency", value_name = "[FUNCTION=]TIME", value_parser = latency)]
    pub latencies: Vec<(Option<String>, f64)>,
    /// Take the functions' mean duration of the last day, as CloudWatch has it, where no latency is given.
    #[arg(long, conflicts_with = "offline")]
    pub measured: bool,
    /// Ask nothing of AWS: the account then has AWS's default concurrency.
    #[arg(long)]
    pub offline: bool,
    /// From how many addresses the requests come.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub addresses: u32,
    /// With how many API keys the requests come.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub keys: u32,
    /// How much every hop has to have to spare, in percent of what it needs.
    #[arg(long, value_name = "PERCENT", default_value_t = 20)]
    pub headroom: u16,
    /// For how long what takes from queues stands still, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 30)]
    pub outage: u32,
    /// How many of the messages end in a dead-letter queue, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub failing: u8,
    /// How large an item of a table is, in kilobytes.
    #[arg(long, value_name = "KB", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=400))]
    pub item_size: u16,
    /// How much of the load falls on the busiest partition key, in percent, where the key is not one of each request.
    #[arg(long, value_name = "PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub hottest_key: u8,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Seconds of a run of which nothing is said.
const LATENCY: f64 = 1.0;

/// What is looked at for measured latencies.
const MEASURED: SignedDuration = SignedDuration::from_hours(24);

pub async fn show(arguments: &CapacityArguments, world: &mut World) -> Result<Exit, CliError> {
    let (desired, load) = match arguments.offline {
        true => {
            let desired = read(&arguments.stack, world)?.anywhere(world)?;
            let load = load(arguments, &desired)?;
            (desired, load)
        }
        false => {
            let stack = running(&arguments.stack, world).await?;
            let mut load = load(arguments, &stack.desired)?;
            let functions = functions(&stack.desired);
            load.account = limits::account(&stack.cx, functions.values()).await?;
            if arguments.measured {
                let since = world.clock.now().saturating_sub(MEASURED).unwrap_or_default();
                for (id, name) in functions {
                    if !load.latencies.contains_key(&id)
                        && let Some(seconds) = limits::mean_duration(&stack.cx, &name, since, world.clock.now()).await?
                    {
                        load.latencies.insert(id, seconds);
                    }
                }
            }
            (stack.desired, load)
        }
    };
    let capacity = capacity(&desired, &load);
    view::capacity(world, &capacity, arguments.format)?;
    Ok(if capacity.carries { Exit::Done } else { Exit::Failed })
}

fn load(arguments: &CapacityArguments, desired: &Desired) -> Result<Load, CliError> {
    let known: BTreeSet<String> = functions(desired).into_keys().collect();
    let mut latencies = BTreeMap::new();
    let mut latency = LATENCY;
    for (function, seconds) in &arguments.latencies {
        match function {
            None => latency = *seconds,
            Some(function) if known.contains(function) => _ = latencies.insert(function.clone(), *seconds),
            Some(function) => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let help = format!("it has {}", known.join(", "));
                return Err(CliError::NotInStack { what: "function", name: function.clone(), help });
            }
        }
    }
    Ok(Load {
        rate: arguments.rate,
        headroom: f64::from(arguments.headroom) / 100.0,
        addresses: arguments.addresses,
        keys: arguments.keys,
        latencies,
        latency,
        failing: f64::from(arguments.failing) / 100.0,
        item_kilobytes: f64::from(arguments.item_size),
        hottest_key: f64::from(arguments.hottest_key) / 100.0,
        outage_minutes: f64::from(arguments.outage),
        account: Account::DEFAULT,
    })
}

/// The functions' names by their logical ids.
fn functions(desired: &Desired) -> BTreeMap<String, String> {
    let properties = desired.predicted();
    let functions = of_type(&desired.graph, "AWS::Lambda::Function");
    let named = functions.filter_map(|function| {
        let name = properties.get(&function.logical_id)?["FunctionName"].as_str()?;
        Some((function.logical_id.to_string(), name.to_owned()))
    });
    named.collect()
}

/// Requests per second.
fn rate(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no rate as `10000/min`");
    let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit.trim() {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3_600.0,
        "d" | "day" => 86_400.0,
        _ => return Err(wrong()),
    };
    let count: f64 = count.trim().replace([',', '_'], "").parse().map_err(|_| wrong())?;
    if count.is_finite() && count > 0.0 { Ok(count / seconds) } else { Err(wrong()) }
}

/// A function's name, if there is one, and seconds.
fn latency(text: &str) -> Result<(Option<String>, f64), String> {
    let (function, time) = match text.split_once('=') {
        Some((function, time)) => (Some(function.to_owned()), time),
        None => (None, text),
    };
    let wrong = || format!("`{time}` is no time as `1s` or `250ms`");
    let (number, unit) = match time.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (time.strip_suffix('s').ok_or_else(wrong)?, 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let seconds = number * unit;
    if seconds.is_finite() && seconds > 0.0 { Ok((function, seconds)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_of_requests_in_a_time() {
        assert_eq!(rate("170/s"), Ok(170.0));
        assert_eq!(rate("12,000/min"), Ok(200.0));
        for wrong in ["10000", "0/s", "-1/s", "x/min", "1/week", "inf/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_latency_is_of_all_functions_or_of_one() {
        assert_eq!(latency("1s"), Ok((None, 1.0)));
        assert_eq!(latency("Pay=250ms"), Ok((Some("Pay".to_owned()), 0.25)));
        for wrong in ["1", "Pay=", "0s", "-1s", "Pay=fast"] {
            assert!(latency(wrong).is_err(), "{wrong}");
        }
    }
}
