//! What stands in the table: a lease and a ledger for each stack, and the table's own item.
//!
//! A ledger is JSON under gzip. What does not fit into one item goes on in others, all of them written together and each with
//! the same `Write`, by which a reader sees that they belong together.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use crate::state::Holder;
use crate::state::lease::Lease;

pub type Item = HashMap<String, AttributeValue>;

/// The partition key: the stack's name.
pub const STACK: &str = "Stack";
/// The sort key: `Ledger`, `Ledger.1`, …, `Lease`.
pub const PART: &str = "Part";
pub const SERIAL: &str = "Serial";
/// No two writes have the same: tells who wrote something.
pub const WRITE: &str = "Write";
pub const TOKEN: &str = "Token";
pub const RENEWALS: &str = "Renewals";
pub const RENEWED_AT: &str = "RenewedAt";
pub const EXPIRES_AT: &str = "ExpiresAt";

const PARTS: &str = "Parts";
const BODY: &str = "Body";
const LAYOUT: &str = "Layout";

pub const LEASE: &str = "Lease";

/// Stands where a stack's name stands, and is none.
pub const TABLE_ITSELF: (&str, &str) = ("(table)", "Setup");

/// The layout of the items. Who meets a newer one leaves the table alone.
pub const LAYOUT_NOW: u32 = 1;

/// An item may have 400 KB, with its names ("Quotas in Amazon DynamoDB"). This much fits also where binary is counted as the
/// text that it is sent as.
const BODY_LIMIT: usize = 1 << 18;

/// A transaction may have 4 MB ("Quotas in Amazon DynamoDB").
const PARTS_LIMIT: usize = 15;

/// Far more than any ledger has, and less than what fills a machine.
const TEXT_LIMIT: u64 = 1 << 28;

/// The item in which a part of the ledger is.
pub fn part(number: usize) -> String {
    if number == 0 { "Ledger".to_owned() } else { format!("Ledger.{number}") }
}

pub fn key(stack: &str, part: &str) -> Item {
    Item::from([(STACK.to_owned(), text(stack)), (PART.to_owned(), text(part))])
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text_of(item: &Item, name: &str) -> Option<String> {
    Some(item.get(name)?.as_s().ok()?.clone())
}

fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub fn of_lease(stack: &str, lease: &Lease, now: Timestamp) -> Item {
    let Lease { holder: Holder { command, caller, process, since }, token, renewals, duration } = lease;
    let mut item = key(stack, LEASE);
    item.extend([
        ("Command".to_owned(), text(command)),
        ("Caller".to_owned(), text(caller)),
        ("Process".to_owned(), number(process)),
        ("Since".to_owned(), text(since.to_string())),
        (TOKEN.to_owned(), text(token)),
        (RENEWALS.to_owned(), number(renewals)),
        ("Seconds".to_owned(), number(duration.as_secs())),
    ]);
    item.extend(moments(now, *duration));
    item
}

/// What people see of a lease's time. Nothing is decided by it.
pub fn moments(now: Timestamp, duration: Duration) -> [(String, AttributeValue); 2] {
    let expires = now.checked_add(duration).unwrap_or(Timestamp::MAX);
    [(RENEWED_AT.to_owned(), text(now.to_string())), (EXPIRES_AT.to_owned(), text(expires.to_string()))]
}

/// The lease in an item; what its holder has not said properly of itself is left open.
pub fn lease(item: &Item) -> Option<Lease> {
    Some(Lease {
        holder: Holder {
            command: text_of(item, "Command").unwrap_or_default(),
            caller: text_of(item, "Caller").unwrap_or_default(),
            process: number_of(item, "Process").unwrap_or_default(),
            since: text_of(item, "Since").and_then(|it| it.parse().ok()).unwrap_or_default(),
        },
        token: text_of(item, TOKEN)?,
        renewals: number_of(item, RENEWALS)?,
        duration: Duration::from_secs(number_of(item, "Seconds")?),
    })
}

pub fn of_table() -> Item {
    let (stack, part) = TABLE_ITSELF;
    let mut item = key(stack, part);
    item.insert(LAYOUT.to_owned(), number(LAYOUT_NOW));
    item
}

pub fn layout(item: &Item) -> u32 {
    number_of(item, LAYOUT).unwrap_or_default()
}

/// What an item says of the whole ledger that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub serial: u64,
    pub write: String,
    pub parts: usize,
}

pub fn head(item: &Item) -> Option<Head> {
    let parts = number_of(item, PARTS).filter(|parts| (1..=PARTS_LIMIT).contains(parts))?;
    Some(Head { serial: number_of(item, SERIAL)?, write: text_of(item, WRITE)?, parts })
}

/// The items of a ledger, as many as it takes; `Err` is the size of one that is too large for any number of them.
pub fn of_ledger(stack: &str, json: &[u8], serial: u64, write: &str) -> Result<Vec<Item>, usize> {
    let body = compressed(json);
    if body.len() > BODY_LIMIT * PARTS_LIMIT || json.len() as u64 > TEXT_LIMIT {
        return Err(body.len());
    }
    let bodies: Vec<&[u8]> = body.chunks(BODY_LIMIT).collect();
    let items = bodies.iter().enumerate().map(|(index, body)| {
        let mut item = key(stack, &part(index));
        item.extend([
            (SERIAL.to_owned(), number(serial)),
            (WRITE.to_owned(), text(write)),
            (PARTS.to_owned(), number(bodies.len())),
            (BODY.to_owned(), AttributeValue::B(Blob::new(*body))),
        ]);
        item
    });
    Ok(items.collect())
}

/// The JSON in the items of a ledger, which have to be all of them in their order.
pub fn json<'a>(items: impl IntoIterator<Item = &'a Item>) -> io::Result<String> {
    let bodies = items.into_iter().filter_map(|item| item.get(BODY)?.as_b().ok());
    let body: Vec<u8> = bodies.flat_map(|body| body.as_ref().iter().copied()).collect();
    let mut json = String::new();
    GzDecoder::new(body.as_slice()).take(TEXT_LIMIT + 1).read_to_string(&mut json)?;
    if json.len() as u64 > TEXT_LIMIT {
        return Err(io::Error::other(format!("it is longer than {} MiB", TEXT_LIMIT >> 20)));
    }
    Ok(json)
}

fn compressed(json: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(json).and_then(|()| encoder.finish());
    written.expect("a vector takes all that is written to it")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text in which nothing repeats, so that it does not get much smaller.
    fn noise(length: usize) -> String {
        let mut state = 1_u64;
        let letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + (state >> 33) as u8 % 94)
        };
        std::iter::repeat_with(letter).take(length).collect()
    }

    fn there_and_back(text: &str) -> (usize, String) {
        let items = of_ledger("orders-dev", text.as_bytes(), 7, "a/1").expect("it fits");
        let heads: Vec<_> = items.iter().map(|item| head(item).expect("each part has a head")).collect();
        let expected = Head { serial: 7, write: "a/1".to_owned(), parts: items.len() };
        assert!(heads.iter().all(|head| head == &expected), "{heads:?}");
        (items.len(), json(&items).expect("it can be read"))
    }

    #[test]
    fn a_ledger_comes_back_from_one_item_or_from_many() {
        assert_eq!(there_and_back("{}"), (1, "{}".to_owned()));
        let long = noise(1_500_000);
        assert_eq!(there_and_back(&long), (5, long));
    }

    #[test]
    fn a_ledger_that_fits_into_no_transaction_is_refused() {
        let size = of_ledger("orders-dev", noise(5_000_000).as_bytes(), 7, "a/1").expect_err("it is too large");
        assert!(size > 4_000_000, "{size}");
    }

    #[test]
    fn what_is_no_ledger_is_an_error_and_no_panic() {
        let mut item = key("orders-dev", "Ledger");
        assert_eq!(head(&item), None);
        json([&item]).expect_err("there is nothing in it");
        item.insert(BODY.to_owned(), AttributeValue::B(Blob::new(b"no gzip".to_vec())));
        item.insert(PARTS.to_owned(), number(99_999_999));
        assert_eq!(head(&item), None);
        json([&item]).expect_err("it is no gzip");
    }

    #[test]
    fn a_lease_comes_back_as_it_was() {
        let since = Timestamp::UNIX_EPOCH;
        let holder = Holder { command: "apply".to_owned(), caller: "ada on box".to_owned(), process: 7, since };
        let duration = Duration::from_secs(30);
        let written = Lease { holder, token: "t".to_owned(), renewals: 3, duration };
        let item = of_lease("orders-dev", &written, since);
        assert_eq!(lease(&item), Some(written));
        assert_eq!(item[EXPIRES_AT], text("1970-01-01T00:00:30Z"));
        assert_eq!(lease(&key("orders-dev", LEASE)), None);
    }
}
