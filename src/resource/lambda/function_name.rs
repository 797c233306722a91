//! The many forms in which templates and answers name a function, brought into one: `orders`, or `orders:live` with an alias
//! or a version. Account and region are dropped: a stack's functions are those of its own account and region.

use crate::unknown;

/// `orders:live` of `arn:aws:lambda:us-east-1:123456789012:function:orders:live`, of `123456789012:function:orders:live`, and
/// of itself. What has an unknown in it stays as it is.
pub fn short(text: &str) -> String {
    if unknown::is_in(text) {
        return text.to_owned();
    }
    let parts: Vec<&str> = text.split(':').collect();
    match parts.iter().position(|part| *part == "function") {
        Some(position) if position + 1 < parts.len() => parts[position + 1..].join(":"),
        _ => text.to_owned(),
    }
}

/// The name and the qualifier of a short form.
pub fn qualified(short: &str) -> (&str, Option<&str>) {
    match short.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (short, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_functions_name_is_the_same_name() {
        for form in ["orders", "arn:aws:lambda:us-east-1:123456789012:function:orders", "123456789012:function:orders"]
        {
            assert_eq!(short(form), "orders");
        }
    }

    #[test]
    fn an_alias_is_part_of_what_a_permission_is_for() {
        assert_eq!(short("arn:aws:lambda:us-east-1:123456789012:function:orders:live"), "orders:live");
        assert_eq!(qualified("orders:live"), ("orders", Some("live")));
        assert_eq!(qualified("orders"), ("orders", None));
    }
}
