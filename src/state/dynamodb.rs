//! Ledgers in a DynamoDB table, for a team: `[state] backend = "dynamodb"`.
//!
//! Each stack has a lease and a ledger there. Every write of a ledger is a transaction on both: it renews the lease, if it is
//! still the writer's, and replaces the ledger, if its serial is the one that the writer knows. So whoever has lost the lease can
//! write nothing, whatever they believe. Whoever only reads asks for no lease and makes no table.

mod items;
mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use futures::future::{BoxFuture, try_join_all};
use serde::de::Error as _;

use crate::aws::Context;
use crate::aws::error::{AwsError, During, ErrorClass, absent_is_none, found};
use crate::aws::wait::Patience;
use crate::identity::StackId;
use crate::state::dynamodb::items::{Head, Item, LEASE, RENEWALS, SERIAL, TOKEN, key, number, part, text};
use crate::state::lease::{Lease, Renewal, Verdict, Watch};
use crate::state::{Attempt, Holder, Holding, Ledger, LedgerError, Ledgers, Lock, Sign};

/// The table that a project's ledgers are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateTable {
    pub name: String,
    /// How long a lease holds that is not renewed.
    pub lease: Duration,
    /// What a new table is tagged with, beside paystack's own tag.
    pub tags: BTreeMap<String, String>,
}

impl StateTable {
    /// What keeping ledgers asks of the table; the parts of a transaction are allowed one by one ("Using IAM with DynamoDB
    /// transactions").
    pub const CALLS: &[&str] = &[
        "dynamodb.ConditionCheckItem",
        "dynamodb.CreateTable",
        "dynamodb.DeleteItem",
        "dynamodb.DescribeTable",
        "dynamodb.GetItem",
        "dynamodb.PutItem",
        "dynamodb.TagResource",
        "dynamodb.UpdateContinuousBackups",
        "dynamodb.UpdateItem",
    ];
}

/// How often a lease is renewed while it holds.
const RENEWALS_PER_LEASE: u32 = 6;

/// How often somebody may write a ledger while it is being read.
const LOOKS: usize = 10;

/// For writes that another write or a throttle is in the way of.
const BUSY: Patience = Patience::seconds(60);

const GET: &str = "dynamodb.GetItem";
const WRITE_ALL: &str = "dynamodb.TransactWriteItems";

/// The ledgers in one table.
pub struct DynamoDbLedgers {
    cx: Arc<Context>,
    table: StateTable,
    /// Random: begins the tokens of this run's leases.
    seed: String,
    is_prepared: AtomicBool,
}

impl DynamoDbLedgers {
    /// `seed` is random, so that no two runs' leases are the same.
    pub fn new(cx: Arc<Context>, table: StateTable, seed: String) -> Self {
        Self { cx, table, seed, is_prepared: AtomicBool::new(false) }
    }

    async fn prepare(&self) -> Result<(), LedgerError> {
        if !self.is_prepared.load(Ordering::Relaxed) {
            table::prepare(&self.cx, &self.table).await?;
            self.is_prepared.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn read(&self, stack: &StackId, salt: &str) -> Result<Ledger, LedgerError> {
        let place = format!("{}/{stack}", self.table.name);
        for _ in 0..LOOKS {
            let Some(first) = get(&self.cx, &self.table.name, stack, &part(0)).await? else {
                return Ok(Ledger::empty(stack.clone(), salt.to_owned()));
            };
            let unreadable = |reason: String| LedgerError::Unreadable {
                place: place.clone(),
                source: serde_json::Error::custom(reason),
            };
            let head =
                items::head(&first).ok_or_else(|| unreadable("it lacks `Serial`, `Write` or `Parts`".to_owned()))?;
            let others = (1..head.parts)
                .map(|number| async move { get(&self.cx, &self.table.name, stack, &part(number)).await });
            let others = try_join_all(others).await?;
            let is_whole = others.iter().all(|item| item.as_ref().and_then(items::head).as_ref() == Some(&head));
            if is_whole {
                let json = items::json(std::iter::once(&first).chain(others.iter().flatten()));
                return Ledger::parse(&json.map_err(|error| unreadable(error.to_string()))?, &place, stack);
            }
        }
        Err(LedgerError::Torn { place })
    }

    async fn take(&self, stack: &StackId, holder: &Holder, watch: &mut Watch) -> Result<Attempt, LedgerError> {
        self.prepare().await?;
        let (cx, name) = (&self.cx, &self.table.name);
        let asked = cx.clock.monotonic();
        let found = lease_of(cx, name, stack).await?;
        let verdict = watch.look(found.as_ref(), asked, cx.clock.monotonic());
        let put = cx.dynamodb.put_item().table_name(name);
        let put = match (verdict, &found) {
            (Verdict::Held(sign), found) => {
                return Ok(Attempt::Held(found.as_ref().map(|lease| lease.holder.clone()), sign));
            }
            (Verdict::Over, Some(seen)) => put
                .condition_expression("#token = :token AND #renewals = :renewals")
                .expression_attribute_names("#token", TOKEN)
                .expression_attribute_names("#renewals", RENEWALS)
                .expression_attribute_values(":token", text(&seen.token))
                .expression_attribute_values(":renewals", number(seen.renewals)),
            (Verdict::Free | Verdict::Over, _) => {
                put.condition_expression("attribute_not_exists(#token)").expression_attribute_names("#token", TOKEN)
            }
        };
        let lease = Lease {
            holder: holder.clone(),
            token: format!("{}-{}", self.seed, holder.since.as_nanosecond()),
            renewals: 0,
            duration: self.table.lease,
        };
        let renewed = Renewal { monotonic: cx.clock.monotonic(), wall: cx.clock.now() };
        let put = put.set_item(Some(items::of_lease(stack.as_str(), &lease, renewed.wall)));
        let call = || async { put.clone().send().await.during("dynamodb.PutItem") };
        let taken = match cx.while_passing(BUSY, is_in_the_way, call).await {
            Ok(_) => Ok(true),
            Err(error) if error.code == CONDITION_FAILED => Ok(false),
            Err(error) => Err(unreachable(name, error)),
        }?;
        // A lost answer to the first of two attempts looks like somebody who was faster.
        let now = if taken { None } else { lease_of(cx, name, stack).await? };
        match now {
            Some(now) if now.token != lease.token => {
                let moment = cx.clock.monotonic();
                watch.look(Some(&now), moment, moment);
                Ok(Attempt::Held(Some(now.holder), Sign::Renewed))
            }
            None if !taken => Ok(Attempt::Held(None, Sign::None)),
            _ => Ok(Attempt::Taken(Box::new(LeaseLock::new(self, stack, lease, renewed)))),
        }
    }
}

impl Ledgers for DynamoDbLedgers {
    fn load<'a>(&'a self, stack: &'a StackId, salt: &'a str) -> BoxFuture<'a, Result<Ledger, LedgerError>> {
        Box::pin(self.read(stack, salt))
    }

    fn try_lock<'a>(
        &'a self,
        stack: &'a StackId,
        holder: &'a Holder,
        watch: &'a mut Watch,
    ) -> BoxFuture<'a, Result<Attempt, LedgerError>> {
        Box::pin(self.take(stack, holder, watch))
    }

    fn holding<'a>(&'a self, stack: &'a StackId) -> BoxFuture<'a, Result<Holding, LedgerError>> {
        Box::pin(async move {
            let lease = lease_of(&self.cx, &self.table.name, stack).await?;
            Ok(lease.map_or(Holding::Nobody, |Lease { holder, token, .. }| Holding::Lease { holder, token }))
        })
    }

    fn break_lease<'a>(&'a self, stack: &'a StackId, token: &'a str) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(async move { end(&self.cx, &self.table.name, stack, token).await })
    }
}

/// A stack's lease, renewed in the background until it is released or dropped.
struct LeaseLock {
    held: Arc<Held>,
    renewing: tokio::task::JoinHandle<()>,
}

/// What the lock and its renewals share.
struct Held {
    cx: Arc<Context>,
    table: String,
    stack: StackId,
    token: String,
    duration: Duration,
    /// One write at a time: two of one run would be in each other's way.
    writing: tokio::sync::Mutex<Writing>,
    /// Set once the lease is another's, with whoever that is.
    lost: OnceLock<Option<Holder>>,
}

struct Writing {
    renewed: Renewal,
    /// Counts the writes, so that each is known by its own name.
    count: u64,
    /// How many items the ledger has, once that is known.
    parts: Option<usize>,
}

/// What became of a transaction.
enum Written {
    Done,
    LeaseRefused,
    LedgerRefused,
}

impl LeaseLock {
    fn new(ledgers: &DynamoDbLedgers, stack: &StackId, lease: Lease, renewed: Renewal) -> Self {
        let held = Arc::new(Held {
            cx: Arc::clone(&ledgers.cx),
            table: ledgers.table.name.clone(),
            stack: stack.clone(),
            token: lease.token,
            duration: lease.duration,
            writing: tokio::sync::Mutex::new(Writing { renewed, count: 0, parts: None }),
            lost: OnceLock::new(),
        });
        let renewing = Arc::clone(&held);
        let renewing = tokio::spawn(async move {
            while renewing.lost.get().is_none() {
                renewing.cx.clock.sleep(renewing.duration / RENEWALS_PER_LEASE).await;
                // What keeps a renewal from being made keeps the next write too, which says so.
                let _ = renewing.renew().await;
            }
        });
        Self { held, renewing }
    }
}

impl Drop for LeaseLock {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Lock for LeaseLock {
    fn save<'a>(&'a self, ledger: &'a mut Ledger) -> BoxFuture<'a, Result<(), LedgerError>> {
        Box::pin(self.held.save(ledger))
    }

    fn remove(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(self.held.remove())
    }

    fn confirm(&self) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async {
            self.held.is_not_lost()?;
            let now = self.held.now();
            let renewed = self.held.writing.lock().await.renewed;
            if renewed.still_holds(now, self.held.duration) { Ok(()) } else { self.held.renew().await }
        })
    }

    fn release(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.renewing.abort();
            if self.held.lost.get().is_none() {
                // A lease that cannot be given back ends by itself.
                let _ = end(&self.held.cx, &self.held.table, &self.held.stack, &self.held.token).await;
            }
        })
    }
}

impl Held {
    fn now(&self) -> Renewal {
        Renewal { monotonic: self.cx.clock.monotonic(), wall: self.cx.clock.now() }
    }

    fn is_not_lost(&self) -> Result<(), LedgerError> {
        match self.lost.get() {
            None => Ok(()),
            Some(holder) => Err(LedgerError::Lost { stack: self.stack.clone(), holder: holder.clone() }),
        }
    }

    /// Remembers that the lease is another's, and whose.
    async fn lose(&self) -> LedgerError {
        let holder = lease_of(&self.cx, &self.table, &self.stack).await.ok().flatten().map(|lease| lease.holder);
        let holder = self.lost.get_or_init(|| holder).clone();
        LedgerError::Lost { stack: self.stack.clone(), holder }
    }

    async fn renew(&self) -> Result<(), LedgerError> {
        let mut writing = self.writing.lock().await;
        self.is_not_lost()?;
        let now = self.now();
        let mut update = self.cx.dynamodb.update_item().table_name(&self.table);
        update = update.set_key(Some(key(self.stack.as_str(), LEASE)));
        update = update.update_expression(RENEWING).condition_expression(IS_OURS);
        update = update.set_expression_attribute_names(Some(self.names()));
        update = update.set_expression_attribute_values(Some(self.values(now)));
        let call = || async { update.clone().send().await.during("dynamodb.UpdateItem") };
        match self.cx.while_passing(BUSY, is_in_the_way, call).await {
            Ok(_) => {
                writing.renewed = now;
                Ok(())
            }
            Err(error) if error.code == CONDITION_FAILED => Err(self.lose().await),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Where the table is gone, so are all leases and ledgers: a new one would know of nothing.
    fn failed(&self, error: AwsError) -> LedgerError {
        if error.is_not_found() {
            LedgerError::TableGone { table: self.table.clone() }
        } else {
            unreachable(&self.table, error)
        }
    }

    async fn save(&self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let mut writing = self.writing.lock().await;
        loop {
            self.is_not_lost()?;
            let before = ledger.serial;
            let next = Ledger { serial: before + 1, ..ledger.clone() };
            let json = serde_json::to_vec(&next)
                .map_err(|source| LedgerError::Unreadable { place: self.table.clone(), source })?;
            writing.count += 1;
            let write = format!("{}/{}", self.token, writing.count);
            let items = items::of_ledger(self.stack.as_str(), &json, next.serial, &write)
                .map_err(|bytes| LedgerError::TooLarge { stack: self.stack.clone(), bytes })?;
            let parts = items.len();
            let surplus = parts..self.parts(&mut writing).await?;
            let mut writes: Vec<TransactWriteItem> = Vec::new();
            for (index, item) in items.into_iter().enumerate() {
                let put = Put::builder().table_name(&self.table).set_item(Some(item));
                let put = match (index, before) {
                    (0, 0) => put
                        .condition_expression("attribute_not_exists(#serial)")
                        .expression_attribute_names("#serial", SERIAL),
                    (0, before) => put
                        .condition_expression("#serial = :serial")
                        .expression_attribute_names("#serial", SERIAL)
                        .expression_attribute_values(":serial", number(before)),
                    _ => put,
                };
                writes.push(TransactWriteItem::builder().put(built(put.build())?).build());
            }
            writes.extend(self.deletes(surplus)?);
            match self.write(&mut writing, writes).await? {
                Written::Done => {
                    ledger.serial = next.serial;
                    writing.parts = Some(parts);
                    return Ok(());
                }
                Written::LeaseRefused => return Err(self.lose().await),
                Written::LedgerRefused => {}
            }
            // It may be that an earlier write of this run was done, and only its answer was lost.
            let there = self.head().await?.filter(|there| there.write.starts_with(&format!("{}/", self.token)));
            let Some(there) = there else { return Err(LedgerError::Changed { stack: self.stack.clone() }) };
            (ledger.serial, writing.parts) = (there.serial, Some(there.parts));
            if there.write == write {
                return Ok(());
            }
        }
    }

    async fn remove(&self) -> Result<(), LedgerError> {
        let mut writing = self.writing.lock().await;
        self.is_not_lost()?;
        let parts = self.parts(&mut writing).await?;
        let deletes = self.deletes(0..parts)?;
        match self.write(&mut writing, deletes).await? {
            Written::Done => {
                writing.parts = Some(0);
                Ok(())
            }
            Written::LeaseRefused | Written::LedgerRefused => Err(self.lose().await),
        }
    }

    fn deletes(&self, parts: std::ops::Range<usize>) -> Result<Vec<TransactWriteItem>, LedgerError> {
        let deletes = parts.map(|index| {
            let delete = Delete::builder().table_name(&self.table);
            let delete = built(delete.set_key(Some(key(self.stack.as_str(), &part(index)))).build())?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        });
        deletes.collect()
    }

    /// All of it, with the lease renewed, or nothing.
    async fn write(&self, writing: &mut Writing, writes: Vec<TransactWriteItem>) -> Result<Written, LedgerError> {
        let now = self.now();
        let renewal = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(self.stack.as_str(), LEASE)))
            .update_expression(RENEWING)
            .condition_expression(IS_OURS)
            .set_expression_attribute_names(Some(self.names()))
            .set_expression_attribute_values(Some(self.values(now)));
        let renewal = TransactWriteItem::builder().update(built(renewal.build())?).build();
        let writes: Vec<_> = std::iter::once(renewal).chain(writes).collect();
        let transaction = self.cx.dynamodb.transact_write_items().set_transact_items(Some(writes));
        let call = || async {
            let answer = transaction.clone().send().await;
            let refused = answer.as_ref().err().and_then(|error| match error.as_service_error()? {
                TransactWriteItemsError::TransactionCanceledException(canceled) => {
                    let mut reasons = canceled.cancellation_reasons().iter().map(|reason| reason.code());
                    let place = reasons.position(|code| code == Some("ConditionalCheckFailed"))?;
                    Some(if place == 0 { Written::LeaseRefused } else { Written::LedgerRefused })
                }
                _ => None,
            });
            match refused {
                Some(refused) => Ok(refused),
                None => answer.during(WRITE_ALL).map(|_| Written::Done),
            }
        };
        let written = self.cx.while_passing(BUSY, is_in_the_way, call).await.map_err(|error| self.failed(error))?;
        if matches!(written, Written::Done) {
            writing.renewed = now;
        }
        Ok(written)
    }

    async fn head(&self) -> Result<Option<Head>, LedgerError> {
        Ok(get(&self.cx, &self.table, &self.stack, &part(0)).await?.as_ref().and_then(items::head))
    }

    /// How many items the ledger has that is there now.
    async fn parts(&self, writing: &mut Writing) -> Result<usize, LedgerError> {
        if let Some(parts) = writing.parts {
            return Ok(parts);
        }
        let there = self.head().await?.map_or(0, |head| head.parts);
        writing.parts = Some(there);
        Ok(there)
    }

    fn names(&self) -> std::collections::HashMap<String, String> {
        let names = [
            ("#token", TOKEN),
            ("#renewals", RENEWALS),
            ("#renewed", items::RENEWED_AT),
            ("#expires", items::EXPIRES_AT),
        ];
        names.map(|(placeholder, name)| (placeholder.to_owned(), name.to_owned())).into()
    }

    fn values(&self, now: Renewal) -> Item {
        let [(_, renewed), (_, expires)] = items::moments(now.wall, self.duration);
        let values = [(":token", text(&self.token)), (":one", number(1)), (":renewed", renewed), (":expires", expires)];
        values.map(|(placeholder, value)| (placeholder.to_owned(), value)).into()
    }
}

const RENEWING: &str = "SET #renewals = #renewals + :one, #renewed = :renewed, #expires = :expires";
const IS_OURS: &str = "#token = :token";

const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

/// Whether the error is another write of the same items, or a throttle: the same call passes later.
fn is_in_the_way(error: &AwsError) -> bool {
    const CODES: [&str; 3] =
        ["TransactionConflictException", "TransactionCanceledException", "TransactionInProgressException"];
    error.class == ErrorClass::Throttled || CODES.contains(&error.code.as_str())
}

/// An item as it is now; a table that is not there has none.
async fn get(cx: &Context, table: &str, stack: &StackId, part: &str) -> Result<Option<Item>, LedgerError> {
    let get = cx.dynamodb.get_item().table_name(table).set_key(Some(key(stack.as_str(), part)));
    let answer = found(GET, get.consistent_read(true).send().await).map_err(|error| unreachable(table, error))?;
    Ok(answer.and_then(|answer| answer.item))
}

async fn lease_of(cx: &Context, table: &str, stack: &StackId) -> Result<Option<Lease>, LedgerError> {
    Ok(get(cx, table, stack, LEASE).await?.as_ref().and_then(items::lease))
}

/// Ends a lease, if it is still this one.
async fn end(cx: &Context, table: &str, stack: &StackId, token: &str) -> Result<(), LedgerError> {
    let delete = cx.dynamodb.delete_item().table_name(table).set_key(Some(key(stack.as_str(), LEASE)));
    let delete = delete.condition_expression(IS_OURS).expression_attribute_names("#token", TOKEN);
    let delete = delete.expression_attribute_values(":token", text(token));
    let call = || async { delete.clone().send().await.during("dynamodb.DeleteItem") };
    match absent_is_none(cx.while_passing(BUSY, is_in_the_way, call).await) {
        Err(error) if error.code == CONDITION_FAILED => Ok(()),
        answer => answer.map(drop).map_err(|error| unreachable(table, error)),
    }
}

fn built<T>(built: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, LedgerError> {
    built.map_err(|error| unreachable("", AwsError::new(WRITE_ALL, ErrorClass::Invalid, error.to_string())))
}

fn unreachable(table: &str, source: AwsError) -> LedgerError {
    LedgerError::Unreachable { table: table.to_owned(), source: Box::new(source) }
}
