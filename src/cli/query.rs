//! `paystack query`: runs a query that the template declares, and shows its table.

use crate::aws::operate::{self, Query};
use crate::cli::arguments::QueryArguments;
use crate::cli::stack::running;
use crate::cli::{CliError, Exit, World, named, view};

pub async fn query(arguments: &QueryArguments, world: &mut World) -> Result<Exit, CliError> {
    let stack = running(&arguments.stack, world).await?;
    let Some(word) = &arguments.name else {
        view::queries(world, &named::queries(&stack.desired), arguments.format)?;
        return Ok(Exit::Done);
    };
    let declared = named::query(&stack.desired, word)?;
    let query = filled_in(declared.query, &arguments.words)?;
    let now = world.clock.now();
    let found = operate::query(&stack.cx, &query, arguments.since.moment(now), now).await?;
    view::found(world, &found, arguments.format)?;
    Ok(Exit::Done)
}

/// The query with words of it replaced.
fn filled_in(mut query: Query, words: &[(String, String)]) -> Result<Query, CliError> {
    for (word, text) in words {
        if !query.text.contains(word.as_str()) {
            return Err(CliError::NotInQuery { word: word.clone() });
        }
        if text.contains(['"', '\'', '\\', '`', '|', '/', '#', '\n']) {
            return Err(CliError::EndsText { word: word.clone() });
        }
        query.text = query.text.replace(word.as_str(), text);
    }
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Query {
        Query { log_groups: Vec::new(), text: text.to_owned(), language: "CWLI".to_owned() }
    }

    fn set(word: &str, text: &str) -> Result<String, CliError> {
        let words = [(word.to_owned(), text.to_owned())];
        filled_in(of("filter transaction_id = \"TRANSACTION_ID\""), &words).map(|query| query.text)
    }

    #[test]
    fn a_word_of_a_query_is_replaced_by_what_stays_within_it() {
        assert_eq!(set("TRANSACTION_ID", "tx-1").unwrap(), "filter transaction_id = \"tx-1\"");
        assert!(matches!(set("PROVIDER", "acme"), Err(CliError::NotInQuery { .. })));
        assert!(matches!(set("TRANSACTION_ID", "\" or 1 = 1"), Err(CliError::EndsText { .. })));
    }
}
