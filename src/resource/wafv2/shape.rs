//! How a shape of the template and the SDK's type for the same thing become each other.
//!
//! A rule is a tree of some hundred small types. `shapes!` declares the template's side of each, field by field, and
//! both ways of translation follow from that: a field has the SDK's name in Rust and CloudFormation's in serde.
//! `kinds!` does the same for types of which exactly one field is set, `bare!` for kinds without settings, `words!`
//! for words of which the service assumes one.

use std::collections::BTreeSet;

use aws_smithy_types::error::operation::BuildError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What one side says and the other has no way to say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", .path.iter().rev().map(|step| format!("`{step}`: ")).collect::<String>())]
pub struct Untranslatable {
    /// Where, from the inside out.
    path: Vec<String>,
    what: String,
}

impl Untranslatable {
    /// AWS has something here that the SDK could not even name.
    pub fn of_unknown_kind() -> Self {
        Self { path: Vec::new(), what: "AWS has a kind here that this version of paystack does not know".to_owned() }
    }

    fn missing() -> Self {
        Self { path: Vec::new(), what: "AWS gives no value".to_owned() }
    }

    /// The same, seen from further outside.
    pub fn within(mut self, step: &str) -> Self {
        self.path.push(step.to_owned());
        self
    }
}

impl From<BuildError> for Untranslatable {
    fn from(error: BuildError) -> Self {
        Self { path: Vec::new(), what: error.to_string() }
    }
}

/// A value in the template's shape that the SDK has a type for.
pub trait Shape: Sized {
    /// The SDK's type of the whole.
    type Sdk;
    /// What the SDK's builders take at a time: of a list an item, else the whole.
    type Part;

    /// What to hand to a builder: nothing, where nothing is set.
    ///
    /// # Errors
    ///
    /// The SDK has no such value.
    fn to_parts(&self) -> Result<Vec<Self::Part>, Untranslatable>;

    /// # Errors
    ///
    /// The template has no such value.
    fn from_sdk(value: Option<Self::Sdk>) -> Result<Self, Untranslatable>;

    /// The same where there is at most one part.
    ///
    /// # Errors
    ///
    /// As [`Shape::to_parts`].
    fn to_part(&self) -> Result<Option<Self::Part>, Untranslatable> {
        Ok(self.to_parts()?.pop())
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Shape for $type {
            type Sdk = $type;
            type Part = $type;

            fn to_parts(&self) -> Result<Vec<$type>, Untranslatable> {
                Ok(vec![self.clone()])
            }

            fn from_sdk(value: Option<$type>) -> Result<Self, Untranslatable> {
                value.ok_or_else(Untranslatable::missing)
            }
        }
    )*};
}

plain!(String, bool, i32, i64);

impl<T: Shape> Shape for Option<T> {
    type Sdk = T::Sdk;
    type Part = T::Part;

    fn to_parts(&self) -> Result<Vec<T::Part>, Untranslatable> {
        self.as_ref().map_or_else(|| Ok(Vec::new()), T::to_parts)
    }

    fn from_sdk(value: Option<T::Sdk>) -> Result<Self, Untranslatable> {
        value.map(|value| T::from_sdk(Some(value))).transpose()
    }
}

impl<T: Shape> Shape for Box<T> {
    type Sdk = Box<T::Sdk>;
    type Part = T::Part;

    fn to_parts(&self) -> Result<Vec<T::Part>, Untranslatable> {
        self.as_ref().to_parts()
    }

    fn from_sdk(value: Option<Box<T::Sdk>>) -> Result<Self, Untranslatable> {
        T::from_sdk(value.map(|value| *value)).map(Box::new)
    }
}

/// A list whose order counts.
impl<T: Shape> Shape for Vec<T> {
    type Sdk = Vec<T::Sdk>;
    type Part = T::Part;

    fn to_parts(&self) -> Result<Vec<T::Part>, Untranslatable> {
        parts_of(self)
    }

    fn from_sdk(value: Option<Vec<T::Sdk>>) -> Result<Self, Untranslatable> {
        value.unwrap_or_default().into_iter().map(|item| T::from_sdk(Some(item))).collect()
    }
}

/// A list whose order means nothing, or is written in its items as their priority.
impl<T: Shape + Ord> Shape for BTreeSet<T> {
    type Sdk = Vec<T::Sdk>;
    type Part = T::Part;

    fn to_parts(&self) -> Result<Vec<T::Part>, Untranslatable> {
        parts_of(self)
    }

    fn from_sdk(value: Option<Vec<T::Sdk>>) -> Result<Self, Untranslatable> {
        value.unwrap_or_default().into_iter().map(|item| T::from_sdk(Some(item))).collect()
    }
}

fn parts_of<'a, T: Shape + 'a>(items: impl IntoIterator<Item = &'a T>) -> Result<Vec<T::Part>, Untranslatable> {
    let mut parts = Vec::new();
    for item in items {
        parts.extend(item.to_parts()?);
    }
    Ok(parts)
}

/// One of the SDK's words: `EXACTLY`. A word that the SDK does not know yet is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<W>(pub W);

impl<W: AsRef<str>> Serialize for Word<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_ref())
    }
}

impl<'de, W: for<'word> From<&'word str>> Deserialize<'de> for Word<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|word| Self(W::from(&word)))
    }
}

impl<W: Clone> Shape for Word<W> {
    type Sdk = W;
    type Part = W;

    fn to_parts(&self) -> Result<Vec<W>, Untranslatable> {
        Ok(vec![self.0.clone()])
    }

    fn from_sdk(value: Option<W>) -> Result<Self, Untranslatable> {
        value.map(Self).ok_or_else(Untranslatable::missing)
    }
}

/// What a builder of the SDK's gives: some can fail, some cannot.
pub trait Built {
    type Value;

    /// # Errors
    ///
    /// A field is not set that has to be.
    fn built(self) -> Result<Self::Value, BuildError>;
}

impl<T> Built for Result<T, BuildError> {
    type Value = T;

    fn built(self) -> Self {
        self
    }
}

/// Declares structs of the template and their translation: `Template = SdkType { field: Shape }`.
macro_rules! shapes {
    ($(
        $(#[$meta:meta])*
        $name:ident = $sdk:ident { $( $(#[$field_meta:meta])* $field:ident: $type:ty ),* $(,)? }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::resource::wafv2::shape::Shape for $name {
            type Sdk = aws_sdk_wafv2::types::$sdk;
            type Part = Self::Sdk;

            fn to_parts(&self) -> Result<Vec<Self::Part>, $crate::resource::wafv2::shape::Untranslatable> {
                use $crate::resource::wafv2::shape::{Built, Untranslatable};
                let mut builder = Self::Sdk::builder();
                $(
                    let parts = self.$field.to_parts().map_err(|error| error.within(stringify!($name)))?;
                    for part in parts {
                        builder = builder.$field(part);
                    }
                )*
                let built = builder.build().built();
                Ok(vec![built.map_err(|error| Untranslatable::from(error).within(stringify!($name)))?])
            }

            fn from_sdk(
                value: Option<Self::Sdk>,
            ) -> Result<Self, $crate::resource::wafv2::shape::Untranslatable> {
                let value = $crate::resource::wafv2::shape::some(value)?;
                Ok(Self {
                    $( $field: $crate::resource::wafv2::shape::Shape::from_sdk(value.$field.into())
                        .map_err(|error| error.within(stringify!($field)).within(stringify!($name)))?, )*
                })
            }
        }

        impl $crate::resource::wafv2::shape::Built for aws_sdk_wafv2::types::$sdk {
            type Value = Self;

            fn built(self) -> Result<Self, aws_smithy_types::error::operation::BuildError> {
                Ok(self)
            }
        }
    )*};
}

/// Declares types of which exactly one field is set, as enums: `Template = SdkType { Kind(Shape): field }`.
macro_rules! kinds {
    ($(
        $(#[$meta:meta])*
        $name:ident = $sdk:ident { $( $(#[$kind_meta:meta])* $kind:ident($type:ty): $field:ident ),* $(,)? }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[$kind_meta])* $kind($type), )*
        }

        impl $crate::resource::wafv2::shape::Shape for $name {
            type Sdk = aws_sdk_wafv2::types::$sdk;
            type Part = Self::Sdk;

            fn to_parts(&self) -> Result<Vec<Self::Part>, $crate::resource::wafv2::shape::Untranslatable> {
                let mut builder = Self::Sdk::builder();
                match self {
                    $( Self::$kind(kind) => {
                        for part in kind.to_parts()? {
                            builder = builder.$field(part);
                        }
                    } )*
                }
                Ok(vec![builder.build()])
            }

            fn from_sdk(
                value: Option<Self::Sdk>,
            ) -> Result<Self, $crate::resource::wafv2::shape::Untranslatable> {
                let value = $crate::resource::wafv2::shape::some(value)?;
                $(
                    if let Some(kind) = value.$field {
                        return $crate::resource::wafv2::shape::Shape::from_sdk(Some(kind)).map(Self::$kind);
                    }
                )*
                Err($crate::resource::wafv2::shape::Untranslatable::of_unknown_kind().within(stringify!($name)))
            }
        }
    )*};
}

/// Declares kinds that have no settings: `{}`, or a text of that as CloudFormation takes it too.
macro_rules! bare {
    ($($name:ident),* $(,)?) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
        pub struct $name {}

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::resource::wafv2::shape::nothing(deserializer).map(|()| Self {})
            }
        }

        impl $crate::resource::wafv2::shape::Shape for $name {
            type Sdk = aws_sdk_wafv2::types::$name;
            type Part = Self::Sdk;

            fn to_parts(&self) -> Result<Vec<Self::Part>, $crate::resource::wafv2::shape::Untranslatable> {
                Ok(vec![Self::Sdk::builder().build()])
            }

            fn from_sdk(
                value: Option<Self::Sdk>,
            ) -> Result<Self, $crate::resource::wafv2::shape::Untranslatable> {
                $crate::resource::wafv2::shape::some(value).map(|_| Self {})
            }
        }
    )*};
}

/// Declares words of which the service assumes one where none is given: `Template = SdkType, "WORD"`.
macro_rules! words {
    ($($(#[$meta:meta])* $name:ident = $sdk:ident, $word:literal;)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name($crate::resource::wafv2::shape::Word<aws_sdk_wafv2::types::$sdk>);

        impl Default for $name {
            fn default() -> Self {
                Self($crate::resource::wafv2::shape::Word(aws_sdk_wafv2::types::$sdk::from($word)))
            }
        }

        impl $crate::resource::wafv2::shape::Shape for $name {
            type Sdk = aws_sdk_wafv2::types::$sdk;
            type Part = Self::Sdk;

            fn to_parts(&self) -> Result<Vec<Self::Part>, $crate::resource::wafv2::shape::Untranslatable> {
                self.0.to_parts()
            }

            fn from_sdk(
                value: Option<Self::Sdk>,
            ) -> Result<Self, $crate::resource::wafv2::shape::Untranslatable> {
                Ok(value.map(|word| Self($crate::resource::wafv2::shape::Word(word))).unwrap_or_default())
            }
        }
    )*};
}

pub(super) use {bare, kinds, shapes, words};

/// For the macros: what AWS has to give.
pub(super) fn some<T>(value: Option<T>) -> Result<T, Untranslatable> {
    value.ok_or_else(Untranslatable::missing)
}

/// For the macros: an object without fields, or a text of one.
pub(super) fn nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    match crate::resource::json_text::deserialize::<D, Nothing>(deserializer)? {
        Some(Nothing {}) => Ok(()),
        None => Err(serde::de::Error::custom("expected an object without fields")),
    }
}
