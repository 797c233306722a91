//! Parameters: what a template asks of whoever plans it, and whether an answer will do.

use fancy_regex::Regex;
use serde_json::Value;

use super::document::{Entry, Kind as NodeKind, Node};
use super::section::{Fields, fields, text};
use crate::diagnostic::{Diagnostic, Span};

/// A parameter as the template declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub parameter_type: ParameterType,
    /// The text that stands in where no value is given.
    pub default: Option<String>,
    pub description: Option<String>,
    /// Whether its value is a secret, which is never shown.
    pub no_echo: bool,
    /// The place of its name.
    pub span: Span,
    constraints: Constraints,
}

/// What a parameter's value is. To the template every value is text, or a list of texts, as in CloudFormation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    String,
    Number,
    NumberList,
    CommaDelimitedList,
    /// An id that CloudFormation would look up (`AWS::EC2::VPC::Id`); taken as text.
    AwsSpecific,
    /// A list of such ids.
    AwsSpecificList,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Constraints {
    allowed_values: Option<Vec<String>>,
    allowed_pattern: Option<String>,
    min_length: Option<f64>,
    max_length: Option<f64>,
    min_value: Option<f64>,
    max_value: Option<f64>,
    description: Option<String>,
}

const TYPES: [&str; 4] = ["CommaDelimitedList", "List<Number>", "Number", "String"];

const FIELDS: [&str; 11] = [
    "AllowedPattern",
    "AllowedValues",
    "ConstraintDescription",
    "Default",
    "Description",
    "MaxLength",
    "MaxValue",
    "MinLength",
    "MinValue",
    "NoEcho",
    "Type",
];

impl ParameterType {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "String" => Some(Self::String),
            "Number" => Some(Self::Number),
            "List<Number>" => Some(Self::NumberList),
            "CommaDelimitedList" | "List<String>" => Some(Self::CommaDelimitedList),
            _ if name.starts_with("AWS::") => Some(Self::AwsSpecific),
            _ if name.starts_with("List<AWS::") && name.ends_with('>') => Some(Self::AwsSpecificList),
            _ => None,
        }
    }

    fn is_list(self) -> bool {
        match self {
            Self::NumberList | Self::CommaDelimitedList | Self::AwsSpecificList => true,
            Self::String | Self::Number | Self::AwsSpecific => false,
        }
    }
}

/// Reads one entry of `Parameters`.
pub(super) fn read(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<Parameter> {
    let what = format!("the parameter `{}`", entry.key);
    let fields = fields(&entry.value, &what, &FIELDS, diagnostics)?;
    let parameter_type = read_type(&fields, entry, diagnostics);
    let default = fields.get("Default").and_then(|it| scalar(it, diagnostics));
    let no_echo = fields.get("NoEcho").and_then(|it| scalar(it, diagnostics)).is_some_and(|it| it == "true");
    Some(Parameter {
        description: fields.get("Description").and_then(|it| text(it, diagnostics)),
        constraints: Constraints {
            allowed_values: fields.get("AllowedValues").and_then(|it| scalars(it, diagnostics)),
            allowed_pattern: fields.get("AllowedPattern").and_then(|it| pattern(it, diagnostics)),
            min_length: fields.get("MinLength").and_then(|it| number(it, diagnostics)),
            max_length: fields.get("MaxLength").and_then(|it| number(it, diagnostics)),
            min_value: fields.get("MinValue").and_then(|it| number(it, diagnostics)),
            max_value: fields.get("MaxValue").and_then(|it| number(it, diagnostics)),
            description: fields.get("ConstraintDescription").and_then(|it| text(it, diagnostics)),
        },
        parameter_type: parameter_type?,
        default,
        no_echo,
        span: entry.key_span,
    })
}

fn read_type(fields: &Fields, entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<ParameterType> {
    let Some(written) = fields.get("Type") else {
        let message = format!("the parameter `{}` has no `Type`", entry.key);
        diagnostics.push(Diagnostic::error(message).at(entry.key_span).help("add `Type: String`"));
        return None;
    };
    let name = text(written, diagnostics)?;
    if name.starts_with("AWS::SSM::") {
        let finding = Diagnostic::error(format!("the parameter type `{name}` is not supported"))
            .at(written.value.span)
            .label("a plan must not change because a value in the Parameter Store has");
        diagnostics.push(finding.help("make it a `String`, and pass the value"));
        return None;
    }
    let known = ParameterType::from_name(&name);
    if known.is_none() {
        let finding = Diagnostic::error(format!("there is no parameter type `{name}`")).at(written.value.span);
        diagnostics.push(finding.did_you_mean(&name, TYPES));
    }
    known
}

fn scalar(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let scalar = entry.value.scalar();
    if scalar.is_none() {
        diagnostics.push(unexpected("a string", entry, &entry.value));
    }
    scalar
}

fn scalars(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    let NodeKind::List(items) = &entry.value.kind else {
        diagnostics.push(unexpected("a list", entry, &entry.value));
        return None;
    };
    if let Some(item) = items.iter().find(|item| item.scalar().is_none()) {
        diagnostics.push(unexpected("only strings", entry, item));
    }
    items.iter().map(Node::scalar).collect()
}

fn number(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<f64> {
    let number = entry.value.scalar().and_then(|text| text.parse().ok());
    if number.is_none() {
        diagnostics.push(unexpected("a number", entry, &entry.value));
    }
    number
}

fn unexpected(wanted: &str, entry: &Entry, found: &Node) -> Diagnostic {
    let message = format!("`{}` takes {wanted}, found {}", entry.key, found.describe());
    Diagnostic::error(message).at(found.span)
}

fn pattern(entry: &Entry, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    let pattern = text(entry, diagnostics)?;
    match whole(&pattern) {
        Ok(_) => Some(pattern),
        Err(error) => {
            let finding = Diagnostic::error("`AllowedPattern` is not a regular expression").at(entry.value.span);
            diagnostics.push(finding.label(error.to_string()));
            None
        }
    }
}

/// A pattern has to match all of a value, as in CloudFormation.
fn whole(pattern: &str) -> Result<Regex, Box<fancy_regex::Error>> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(Box::new)
}

impl Parameter {
    /// What the template gets for a text: the text itself, or the items of a list.
    pub(super) fn value(&self, text: &str) -> Value {
        if self.parameter_type.is_list() {
            items(text).into_iter().map(Value::from).collect()
        } else {
            Value::from(text)
        }
    }

    /// Why a value will not do. A secret is not repeated.
    pub(super) fn objection(&self, name: &str, value: &str) -> Option<Diagnostic> {
        let items = if self.parameter_type.is_list() { items(value) } else { vec![value] };
        let objection = items.into_iter().find_map(|item| self.item_objection(item).map(|why| (item, why)));
        let (item, why) = objection.or_else(|| self.length_objection(value).map(|why| (value, why)))?;
        let shown = if self.no_echo { "a secret".to_owned() } else { format!("`{item}`") };
        let finding = Diagnostic::error(format!("the parameter `{name}` is {shown}, {why}")).at(self.span);
        Some(match &self.constraints.description {
            Some(description) => finding.help(description),
            None => finding,
        })
    }

    fn item_objection(&self, item: &str) -> Option<String> {
        let Constraints { allowed_values, allowed_pattern, min_value, max_value, .. } = &self.constraints;
        if crate::unknown::is_in(item) {
            return Some("which contains the control character U+0001".to_owned());
        }
        if matches!(self.parameter_type, ParameterType::Number | ParameterType::NumberList) {
            let Some(number) = item.parse::<f64>().ok().filter(|number| number.is_finite()) else {
                return Some("which is not a number".to_owned());
            };
            if let Some(least) = min_value.filter(|least| number < *least) {
                return Some(format!("which is less than {least}"));
            }
            if let Some(most) = max_value.filter(|most| number > *most) {
                return Some(format!("which is more than {most}"));
            }
        }
        if let Some(allowed) = allowed_values.as_ref().filter(|allowed| !allowed.iter().any(|it| it == item)) {
            let allowed: Vec<_> = allowed.iter().map(|it| format!("`{it}`")).collect();
            return Some(format!("which is none of {}", allowed.join(", ")));
        }
        let pattern = allowed_pattern.as_ref()?;
        match whole(pattern).ok()?.is_match(item) {
            Ok(true) => None,
            Ok(false) => Some(format!("which does not match `{pattern}`")),
            Err(_) => Some(format!(
                "which cannot be held against `{pattern}`: that takes too long; write it without a repetition within a \
                 repetition"
            )),
        }
    }

    fn length_objection(&self, value: &str) -> Option<String> {
        let Constraints { min_length, max_length, .. } = self.constraints;
        #[expect(clippy::cast_precision_loss, reason = "a parameter is far shorter than 2^52 characters")]
        let length = value.chars().count() as f64;
        if let Some(least) = min_length.filter(|least| length < *least) {
            return Some(format!("which has fewer than {least} characters"));
        }
        max_length.filter(|most| length > *most).map(|most| format!("which has more than {most} characters"))
    }
}

fn items(text: &str) -> Vec<&str> {
    if text.trim().is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}
