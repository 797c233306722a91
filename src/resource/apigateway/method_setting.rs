//! What a stage sets for single methods, or for all: `MethodSettings`.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_apigateway::types::{self as sdk, PatchOperation};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::patch::{remove, replace, segment};

/// What holds for one method, or with `/*` and `*` for all. As soon as anything is set for a method, the service fills in the
/// rest, which is `Default` here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub struct MethodSetting {
    pub resource_path: String,
    pub http_method: String,
    pub cache_data_encrypted: bool,
    pub cache_ttl_in_seconds: i32,
    pub caching_enabled: bool,
    pub data_trace_enabled: bool,
    pub logging_level: String,
    pub metrics_enabled: bool,
    pub throttling_burst_limit: i32,
    /// Requests per second.
    pub throttling_rate_limit: f64,
}

impl Default for MethodSetting {
    fn default() -> Self {
        Self {
            resource_path: String::new(),
            http_method: String::new(),
            cache_data_encrypted: false,
            cache_ttl_in_seconds: 300,
            caching_enabled: true,
            data_trace_enabled: false,
            logging_level: "OFF".to_owned(),
            metrics_enabled: false,
            throttling_burst_limit: 5000,
            throttling_rate_limit: 10000.0,
        }
    }
}

/// Brings settings into the one form in which they are compared.
pub fn put_in_order(settings: &mut [MethodSetting]) {
    for setting in &mut *settings {
        setting.resource_path = path_of(&setting.resource_path);
    }
    settings.sort_by(|one, other| one.method().cmp(&other.method()));
}

/// Deserialises settings that name no method twice.
///
/// # Errors
///
/// A method has two entries, or one does not have the shape of a setting.
pub fn one_for_each_method<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MethodSetting>, D::Error> {
    let settings = Vec::<MethodSetting>::deserialize(deserializer)?;
    let mut seen = BTreeSet::new();
    for setting in &settings {
        let method = (path_of(&setting.resource_path), &setting.http_method);
        if seen.contains(&method) {
            let (path, verb) = method;
            return Err(D::Error::custom(format!(
                "`MethodSettings` has two entries for `{verb} {path}`: write them as one"
            )));
        }
        seen.insert(method);
    }
    Ok(settings)
}

/// What turns the settings shown into the wanted ones. Every value is set that differs, to its default where the template is silent.
pub fn patches(shown: Option<&HashMap<String, sdk::MethodSetting>>, wanted: &[MethodSetting]) -> Vec<PatchOperation> {
    let shown: Vec<(&String, MethodSetting)> =
        shown.into_iter().flatten().map(|(key, setting)| (key, MethodSetting::shown(key, setting))).collect();
    let is_wanted = |live: &MethodSetting| wanted.iter().any(|wanted| wanted.method() == live.method());
    let gone = shown.iter().filter(|(_, live)| !is_wanted(live)).map(|(key, _)| remove(format!("/{key}")));
    let mut patches: Vec<PatchOperation> = gone.collect();
    for wanted in wanted {
        let live = shown.iter().find(|(_, live)| live.method() == wanted.method());
        let (key, before) =
            live.map_or_else(|| (wanted.key(), MethodSetting::default()), |(key, live)| ((*key).clone(), live.clone()));
        let values = wanted.values();
        let mut changed: Vec<_> = values.iter().zip(before.values()).filter(|(one, other)| *one != other).collect();
        // The first patch makes the entry, even where it says nothing but a default.
        if live.is_none() && changed.is_empty() {
            changed.extend(values.iter().zip(before.values()).take(1));
        }
        patches.extend(changed.into_iter().map(|((path, value), _)| replace(format!("/{key}/{path}"), value)));
    }
    patches
}

impl MethodSetting {
    fn method(&self) -> (&str, &str) {
        (&self.resource_path, &self.http_method)
    }

    /// `orders~1{id}/GET`: what patches and answers call a method of a stage.
    fn key(&self) -> String {
        let path = match self.resource_path.trim_start_matches('/') {
            "" => "~1".to_owned(),
            path => segment(path),
        };
        format!("{path}/{}", self.http_method)
    }

    /// Each value under its path below the key.
    fn values(&self) -> [(&'static str, String); 8] {
        [
            ("metrics/enabled", self.metrics_enabled.to_string()),
            ("logging/loglevel", self.logging_level.clone()),
            ("logging/dataTrace", self.data_trace_enabled.to_string()),
            ("throttling/burstLimit", self.throttling_burst_limit.to_string()),
            ("throttling/rateLimit", self.throttling_rate_limit.to_string()),
            ("caching/enabled", self.caching_enabled.to_string()),
            ("caching/ttlInSeconds", self.cache_ttl_in_seconds.to_string()),
            ("caching/dataEncrypted", self.cache_data_encrypted.to_string()),
        ]
    }

    pub fn shown(key: &str, setting: &sdk::MethodSetting) -> Self {
        let (path, verb) = key.rsplit_once('/').unwrap_or((key, "*"));
        Self {
            resource_path: path_of(path),
            http_method: verb.to_owned(),
            cache_data_encrypted: setting.cache_data_encrypted,
            cache_ttl_in_seconds: setting.cache_ttl_in_seconds,
            caching_enabled: setting.caching_enabled,
            data_trace_enabled: setting.data_trace_enabled,
            logging_level: setting.logging_level.clone().unwrap_or_else(|| "OFF".to_owned()),
            metrics_enabled: setting.metrics_enabled,
            throttling_burst_limit: setting.throttling_burst_limit,
            throttling_rate_limit: setting.throttling_rate_limit,
        }
    }
}

/// `/orders/{id}`, also where it is written as `/orders~1{id}`, `/~1orders~1{id}` or without the first slash.
fn path_of(text: &str) -> String {
    let path = text.replace("~1", "/").replace("~0", "~");
    format!("/{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings(value: &Value) -> Vec<MethodSetting> {
        let mut settings = one_for_each_method(value).expect("settings");
        put_in_order(&mut settings);
        settings
    }

    fn lines(patches: &[PatchOperation]) -> Vec<String> {
        let line = |patch: &PatchOperation| {
            let op = patch.op.as_ref().map(ToString::to_string).unwrap_or_default();
            [op, patch.path.clone().unwrap_or_default(), patch.value.clone().unwrap_or_default()].join(" ")
        };
        patches.iter().map(line).map(|line| line.trim_end().to_owned()).collect()
    }

    fn shown_setting(level: &str, ttl: i32) -> sdk::MethodSetting {
        let setting =
            sdk::MethodSetting::builder().logging_level(level).cache_ttl_in_seconds(ttl).caching_enabled(true);
        setting.throttling_burst_limit(5000).throttling_rate_limit(10000.0).build()
    }

    #[test]
    fn a_path_is_the_same_however_its_slashes_are_written() {
        for text in ["/orders/{id}", "/orders~1{id}", "/~1orders~1{id}", "orders/{id}"] {
            assert_eq!(path_of(text), "/orders/{id}");
        }
        assert_eq!([path_of("/"), path_of("~1"), path_of("*")], ["/", "/", "/*"]);
    }

    #[test]
    fn a_method_with_nothing_but_defaults_gets_an_entry_all_the_same() {
        let wanted = settings(&json!([{"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "OFF"}]));
        let patches = patches(None, &wanted);
        assert_eq!(lines(&patches), ["replace /*/*/metrics/enabled false"]);
    }

    #[test]
    fn what_differs_for_a_method_is_set_and_a_method_that_is_named_no_more_is_removed() {
        let wanted = settings(&json!([
            {"ResourcePath": "/orders/{id}", "HttpMethod": "GET", "MetricsEnabled": true},
            {"ResourcePath": "/", "HttpMethod": "POST", "ThrottlingRateLimit": 2.5},
        ]));
        let shown = HashMap::from([
            ("orders~1{id}/GET".to_owned(), shown_setting("INFO", 60)),
            ("~1/DELETE".to_owned(), shown_setting("OFF", 300)),
        ]);
        let patches = patches(Some(&shown), &wanted);
        assert_eq!(
            lines(&patches),
            [
                "remove /~1/DELETE",
                "replace /~1/POST/throttling/rateLimit 2.5",
                "replace /orders~1{id}/GET/metrics/enabled true",
                "replace /orders~1{id}/GET/logging/loglevel OFF",
                "replace /orders~1{id}/GET/caching/ttlInSeconds 300",
            ]
        );
    }

    #[test]
    fn a_method_has_one_entry() {
        let settings = json!([
            {"ResourcePath": "/a/b", "HttpMethod": "GET"},
            {"ResourcePath": "/~1a~1b", "HttpMethod": "GET"},
        ]);
        let error = one_for_each_method(&settings).expect_err("two entries");
        assert_eq!(error.to_string(), "`MethodSettings` has two entries for `GET /a/b`: write them as one");
    }
}
