//! API Gateway answers null for a template that is empty, and the SDK refuses the whole answer for it: here such an answer is read
//! once more, with the empty texts that the nulls mean.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::ser_de::{DeserializeResponse, SharedResponseDeserializer};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// Makes a client of API Gateway read answers with empty templates.
#[derive(Debug)]
pub struct ReadNullTemplates;

impl Intercept for ReadNullTemplates {
    fn name(&self) -> &'static str {
        "ReadNullTemplates"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !matches!(context.output_or_error(), Some(Err(_))) {
            return Ok(());
        }
        let readable = context.response().filter(|response| response.status().is_success()).and_then(with_templates);
        let (Some(readable), Some(deserializer)) = (readable, config.load::<SharedResponseDeserializer>()) else {
            return Ok(());
        };
        let read = deserializer.deserialize_nonstreaming_with_config(&readable, config);
        if let Some(answer) = context.output_or_error_mut() {
            *answer = read;
        }
        Ok(())
    }
}

fn with_templates(response: &HttpResponse) -> Option<HttpResponse> {
    let body = filled(response.body().bytes()?)?;
    let mut readable = HttpResponse::new(response.status(), SdkBody::from(body));
    *readable.headers_mut() = response.headers().clone();
    Some(readable)
}

/// The body with its null templates filled in; `None` where it has none.
fn filled(body: &[u8]) -> Option<Vec<u8>> {
    let has = |text: &[u8]| body.windows(text.len()).any(|window| window == text);
    if !(has(b"Templates") && has(b"null")) {
        return None;
    }
    let mut answer = serde_json::from_slice(body).ok()?;
    fill(&mut answer);
    serde_json::to_vec(&answer).ok()
}

fn fill(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Object(templates) if matches!(name.as_str(), "requestTemplates" | "responseTemplates") => {
                        templates.values_mut().filter(|template| template.is_null()).for_each(empty);
                    }
                    value => fill(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(fill),
        _ => {}
    }
}

fn empty(template: &mut Value) {
    *template = Value::String(String::new());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_that_is_null_is_an_empty_text() {
        let body = json!({
            "uri": null,
            "methodIntegration": {
                "requestTemplates": {"application/json": null},
                "integrationResponses": {"200": {"responseTemplates": {"text/html": null, "text/plain": "hello"}}},
            },
        });
        let filled = filled(body.to_string().as_bytes()).expect("something to fill in");
        assert_eq!(
            serde_json::from_slice::<Value>(&filled).expect("JSON"),
            json!({
                "uri": null,
                "methodIntegration": {
                    "requestTemplates": {"application/json": ""},
                    "integrationResponses": {"200": {"responseTemplates": {"text/html": "", "text/plain": "hello"}}},
                },
            })
        );
    }

    #[test]
    fn other_answers_stay_as_they_are() {
        assert_eq!(filled(br#"{"responseTemplates": {"a": "b"}}"#), None);
        assert_eq!(filled(b"null Templates"), None);
    }
}
