//! What stands in an API that is imported from a document: its live methods and validators, in the words of the resources that
//! would declare them one by one. The template names none of them, so that the field of the evidence does.

use serde_json::{Value, json};

use super::controls::{Around, Control};
use super::{Evidence, Seen, Status, unseen};
use crate::desired::of_type;
use crate::policy::methods::{METHOD, REST_API, Validation, of_document};
use crate::resource::Reading;
use crate::resource::apigateway::body::VALIDATORS;
use crate::template::DesiredResource;

const REQUEST_VALIDATOR: &str = "AWS::ApiGateway::RequestValidator";

/// Holds a control of methods or validators against those of every API that the template imports.
pub fn evidence(control: &Control, seen: &Seen<'_>, today: &str) -> Vec<Evidence> {
    if ![METHOD, REQUEST_VALIDATOR].contains(&control.resource_type) {
        return Vec::new();
    }
    let is_imported = |api: &&DesiredResource| {
        ["Body", "BodyS3Location"].into_iter().any(|property| api.properties.at(&[property.into()]).is_some())
    };
    of_type(&seen.desired.graph, REST_API)
        .filter(is_imported)
        .flat_map(|api| {
            let evidence = Evidence { resource_type: REST_API.to_owned(), ..unseen(control, &api.logical_id, seen) };
            let Some(Reading::Live(live)) = seen.inventory.readings.get(&api.logical_id) else { return vec![evidence] };
            let parts = parts(control.resource_type, &live.properties["Body"]).into_iter();
            let of_part = |(name, properties): (String, Value)| {
                let value = &properties[control.field];
                let around = Around { today, own: &properties, is_as_declared: true, others: &[] };
                Evidence {
                    physical_id: Some(live.id.clone()),
                    field: format!("{} of {name}", control.field),
                    live: value.clone(),
                    status: if (control.holds)(value, &around) { Status::Pass } else { Status::Fail },
                    reason: None,
                    ..evidence.clone()
                }
            };
            parts.map(of_part).collect()
        })
        .collect()
}

/// The methods or the validators of a live document, each with its name and its properties.
fn parts(resource_type: &str, document: &Value) -> Vec<(String, Value)> {
    if resource_type == REQUEST_VALIDATOR {
        let validators = document[VALIDATORS].as_object().into_iter().flatten();
        let properties = |does: &Value| json!({"ValidateRequestBody": does["validateRequestBody"]});
        return validators.map(|(name, does)| (name.clone(), properties(does))).collect();
    }
    of_document(document)
        .into_iter()
        .map(|method| {
            let validator = match method.validation {
                Validation::Named { by, looks_at_bodies: _ } => json!(by),
                Validation::By(validator) => validator.clone(),
            };
            let properties = json!({"ApiKeyRequired": method.asks_for_key, "RequestValidatorId": validator});
            (format!("{} {}", method.verb, method.path.unwrap_or_default()), properties)
        })
        .collect()
}
