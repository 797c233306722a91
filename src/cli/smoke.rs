//! `paystack smoke`: sends something through the deployed system and follows it from place to place.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use crate::aws::operate::LogFollower;
use crate::aws::smoke as asking;
use crate::cli::apply::{Secrets, outputs};
use crate::cli::arguments::SmokeArguments;
use crate::cli::stack::{Running, running};
use crate::cli::{CliError, Exit, World, named, view};
use crate::diagnostic::nearest;
use crate::identity::{LogicalId, REF};
use crate::resource::Attributes;
use crate::smoke::{Filling, Hop, Missed, Place, Reached, Smoke, Smoked, referred};

const PAUSE: Duration = Duration::from_millis(250);

pub async fn smoke(arguments: &SmokeArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = running(&arguments.stack, world).await?;
    let smoke = stack.smoke.clone().ok_or(CliError::NoSmoke)?;
    for (id, resource_type) in referred(&smoke) {
        is_declared(&stack, id, resource_type)?;
    }
    let attributes = stack.attributes(world).await?;
    let now = world.clock.now();
    let filling = Filling { id: new_id(&format!("{:x}{}", now.as_millisecond(), world.salt)), now };
    let run = Run { stack: &stack, attributes, filling, world };
    let smoked = if arguments.failing { run.failing(&smoke).await? } else { run.posted(&smoke, arguments).await? };
    view::smoked(world, &smoked, arguments.format)?;
    Ok(if smoked.missed.is_none() { Exit::Done } else { Exit::Failed })
}

/// `smoke-` and letters: many digits in a row could be taken for a card's number.
fn new_id(random: &str) -> String {
    let letters = random
        .chars()
        .filter_map(|character| character.to_digit(16))
        .filter_map(|digit| char::from_digit(digit + 10, 36));
    format!("smoke-{}", letters.take(20).collect::<String>())
}

/// One run, and what it needs to know of the system.
struct Run<'a> {
    stack: &'a Running,
    attributes: BTreeMap<LogicalId, Attributes>,
    filling: Filling,
    world: &'a World,
}

impl Run<'_> {
    async fn posted(&self, smoke: &Smoke, arguments: &SmokeArguments) -> Result<Smoked, CliError> {
        let url = match &arguments.url {
            Some(url) => url.clone(),
            None => self.url(&smoke.url)?,
        };
        let key = match &smoke.api_key {
            Some(id) => Some(asking::key_value(&self.stack.cx, &self.reference(id)?).await?),
            None => None,
        };
        let start = self.world.clock.monotonic();
        let answer = asking::post(&url, key.as_deref(), self.filling.value(&smoke.post).to_string()).await?;
        let name = format!("answered {}", answer.status);
        if answer.status != smoke.status {
            let why = format!("instead of {}: {}", smoke.status, answer.body.trim());
            return Ok(Smoked { id: self.filling.id.clone(), reached: Vec::new(), missed: Some(Missed { name, why }) });
        }
        let reached = Reached { name, after_milliseconds: self.since(start) };
        self.followed(start, vec![reached], &smoke.hops, smoke.within_seconds).await
    }

    async fn failing(&self, smoke: &Smoke) -> Result<Smoked, CliError> {
        let failing = smoke.failing.as_ref().ok_or(CliError::NoFailing)?;
        let queue = self.reference(&failing.queue)?;
        let start = self.world.clock.monotonic();
        asking::send(&self.stack.cx, &queue, self.filling.value(&failing.message).to_string()).await?;
        let reached = Reached { name: "queued".to_owned(), after_milliseconds: self.since(start) };
        self.followed(start, vec![reached], &failing.hops, failing.within_seconds).await
    }

    async fn followed(
        &self,
        start: Duration,
        mut reached: Vec<Reached>,
        hops: &[Hop],
        within_seconds: u64,
    ) -> Result<Smoked, CliError> {
        let mut missed = None;
        for hop in hops {
            let deadline = self.world.clock.monotonic() + Duration::from_secs(within_seconds);
            let is_there = loop {
                if self.is_at(&hop.place).await? {
                    break true;
                }
                if self.world.clock.monotonic() > deadline {
                    break false;
                }
                self.world.clock.sleep(PAUSE).await;
            };
            if !is_there {
                let why = format!("not within {within_seconds} s");
                missed = Some(Missed { name: hop.name.clone(), why });
                break;
            }
            reached.push(Reached { name: hop.name.clone(), after_milliseconds: self.since(start) });
        }
        Ok(Smoked { id: self.filling.id.clone(), reached, missed })
    }

    async fn is_at(&self, place: &Place) -> Result<bool, CliError> {
        let Self { stack: Running { cx, desired, .. }, filling, .. } = self;
        match place {
            Place::Item { table, key, attribute } => {
                let table = self.reference(table)?;
                Ok(asking::has_item(cx, &table, key, &filling.id, attribute.as_deref()).await?)
            }
            Place::Log { function, texts } => {
                let log_group = named::function(desired, function)?.log_group;
                // The service's clock and this machine's may differ.
                let since = filling.now.saturating_sub(SignedDuration::from_secs(60)).unwrap_or(filling.now);
                let pattern = format!("\"{}\"", filling.id);
                let events = LogFollower::new([log_group], since, Some(pattern)).look(cx).await?;
                let texts: Vec<String> = texts.iter().map(|text| filling.text(text)).collect();
                Ok(events.iter().any(|event| texts.iter().all(|text| event.message.contains(text))))
            }
        }
    }

    fn url(&self, name: &str) -> Result<String, CliError> {
        let outputs = outputs(&self.stack.desired, &self.attributes, Secrets::Masked);
        match outputs.get(name) {
            Some(Value::String(url)) if !crate::unknown::is_in(url) => Ok(url.clone()),
            Some(_) => Err(CliError::NotDeployed { what: format!("the output `{name}`") }),
            None => {
                let known = outputs.keys().map(|name| format!("`{name}`")).collect();
                Err(CliError::UnknownOutput { name: name.to_owned(), known })
            }
        }
    }

    /// What `Ref` gives of a resource.
    fn reference(&self, id: &str) -> Result<String, CliError> {
        let attributes = self.attributes.get(&LogicalId::from(id));
        let reference = attributes.and_then(|attributes| attributes.get(REF)?.as_str());
        reference.map(str::to_owned).ok_or_else(|| CliError::NotDeployed { what: format!("`{id}`") })
    }

    fn since(&self, start: Duration) -> u64 {
        let passed = self.world.clock.monotonic().saturating_sub(start);
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }
}

fn is_declared(stack: &Running, id: &str, resource_type: &'static str) -> Result<(), CliError> {
    let resources = &stack.desired.graph.resources;
    if resources.values().any(|it| it.logical_id.as_str() == id && it.resource_type.as_str() == resource_type) {
        return Ok(());
    }
    let known = resources.values().filter(|it| it.resource_type.as_str() == resource_type);
    let known: Vec<&str> = known.map(|it| it.logical_id.as_str()).collect();
    let help = match nearest(id, known.iter().copied()) {
        Some(name) => format!("`[smoke]` in paystack.toml names it: did you mean `{name}`?"),
        None => format!("`[smoke]` in paystack.toml names it; the template has {}", known.join(", ")),
    };
    Err(CliError::NotInStack { what: resource_type, name: id.to_owned(), help })
}
