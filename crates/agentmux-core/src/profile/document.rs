//! The text of a profile, of all files that it extends, and what they say together: one table, in which each value
//! still knows the file and the line where it stands.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::ProfileError;
use super::fault::{Fault, Step};
use super::layers::overlay;

/// A text, and the file that it is from.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Its name in errors.
    pub(super) file: String,
    pub(super) text: String,
    /// The line of the file that an error is at.
    pub(super) lines: Lines,
}

/// What lines of a layer's text are in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// The same ones.
    Same,
    /// All this one, if it is known.
    One(Option<usize>),
}

impl Lines {
    fn at(self, text: &str, position: usize) -> Option<usize> {
        match self {
            Self::Same => Some(line_of(text, position)),
            Self::One(line) => line,
        }
    }
}

/// The layers of a profile, the topmost first. Each is padded with blanks as long as all above it: so a position tells
/// which layer it is in.
#[derive(Debug)]
pub(super) struct Layers(Vec<(Layer, String)>);

/// What the layers say together.
#[derive(Debug)]
pub(super) struct Document<'a> {
    layers: &'a Layers,
    table: DeTable<'a>,
}

impl Layers {
    pub(super) fn new(layers: Vec<Layer>) -> Self {
        let mut start = 0;
        let pad = |layer: Layer| {
            let padded = " ".repeat(start) + layer.text.trim_start_matches('\u{feff}');
            start = padded.len() + 1;
            (layer, padded)
        };
        Self(layers.into_iter().map(pad).collect())
    }

    /// Reads and merges them; the result is called `name`.
    pub(super) fn merge(&self, name: &str) -> Result<Document<'_>, ProfileError> {
        let mut merged = DeTable::new();
        for (at, (_, text)) in self.0.iter().enumerate().rev() {
            let own = DeTable::parse(text).map_err(|error| self.refuse_toml(at, &error))?.into_inner();
            let document = Document { layers: self, table: own };
            if at == 0 {
                document.check_name(name).map_err(|fault| document.refuse(&fault))?;
            }
            merged = match overlay(document.table.clone(), merged) {
                Ok(merged) => merged,
                Err(fault) => return Err(document.refuse(&fault)),
            };
        }
        let name = DeValue::String(Cow::Owned(name.to_owned()));
        merged.insert(Spanned::new(0..0, "name".into()), Spanned::new(0..0, name));
        Ok(Document { layers: self, table: merged })
    }

    /// What the topmost layer extends.
    pub(super) fn extends(&self) -> Result<Option<String>, ProfileError> {
        let text = &self.0.first().expect("there is a topmost layer").1;
        let table = DeTable::parse(text).map_err(|error| self.refuse_toml(0, &error))?.into_inner();
        match table.get("extends").map(|value| value.get_ref().as_str()) {
            None => Ok(None),
            Some(Some(name)) => Ok(Some(name.to_owned())),
            Some(None) => Err(self.refuse_key("extends", "must be the name of an agent")),
        }
    }

    /// The text, where there is only one layer.
    pub(super) fn single(&self) -> Option<&str> {
        match self.0.as_slice() {
            [(layer, _)] => Some(&layer.text),
            _ => None,
        }
    }

    /// An error about a key of the topmost layer.
    pub(super) fn refuse_key(&self, key: &str, why: &str) -> ProfileError {
        let table = DeTable::parse(&self.0[0].1).map(Spanned::into_inner).unwrap_or_default();
        Document { layers: self, table }.refuse(&Fault::at(key, why))
    }

    fn refuse_toml(&self, layer: usize, error: &toml::de::Error) -> ProfileError {
        let reason = error.message().lines().collect::<Vec<_>>().join("; ");
        let (layer, text) = &self.0[layer];
        let line = error.span().and_then(|span| layer.lines.at(text, span.start));
        ProfileError { file: layer.file.clone(), line, reason }
    }

    /// The layer that a position is in.
    fn layer_at(&self, position: usize) -> usize {
        self.0.iter().position(|(_, text)| position <= text.len()).unwrap_or(0)
    }
}

fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

impl<'a> Document<'a> {
    /// The table as it would be written in one file.
    pub(super) fn plain(&self) -> Result<toml::Table, ProfileError> {
        self.read()
    }

    /// Reads the table as a type.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ProfileError> {
        let whole = Spanned::new(0..0, self.table.clone());
        T::deserialize(Deserializer::from(whole)).map_err(|error| {
            let layer = error.span().map_or(0, |span| self.layers.layer_at(span.start));
            self.layers.refuse_toml(layer, &error)
        })
    }

    /// The error of a fault: with its file, its line, and the way to the value in words.
    pub(super) fn refuse(&self, fault: &Fault) -> ProfileError {
        let (span, words) = self.find(fault);
        let (layer, text) = &self.layers.0[self.layers.layer_at(span.start)];
        ProfileError {
            file: layer.file.clone(),
            line: layer.lines.at(text, span.start),
            reason: format!("{words}{}", fault.why),
        }
    }

    /// Whether an item of an array is from the topmost layer.
    pub(super) fn is_own_item(&self, array: &str, at: usize) -> bool {
        let (span, _) = self.find(&Fault::new("").in_item(array, at));
        self.layers.layer_at(span.start) == 0
    }

    /// Where the value stands, or what is around the place where it is missing; and the way to it in words.
    fn find(&self, fault: &Fault) -> (Range<usize>, String) {
        let (mut span, mut words) = (0..0, String::new());
        let (mut table, mut array) = (Some(&self.table), None);
        for step in fault.path() {
            let value = match step {
                Step::Key(key) => {
                    words += &format!("{key}: ");
                    let found = table.and_then(|table| table.get_key_value(key.as_str()));
                    found.map(|(key, value)| (key.span(), value))
                }
                Step::Item(at) => {
                    let item: Option<&Spanned<DeValue<'_>>> = array.and_then(|array: &[_]| array.get(*at));
                    if let Some(name) = item.and_then(name_of) {
                        words = format!("{} '{name}': ", words.trim_end_matches(": "));
                    }
                    item.map(|item| (item.span(), item))
                }
            };
            let value = value.map(|(at, value)| {
                span = at;
                value.get_ref()
            });
            table = value.and_then(DeValue::as_table);
            array = value.and_then(DeValue::as_array).map(|array| &**array);
        }
        (span, words)
    }

    fn check_name(&self, name: &str) -> Result<(), Fault> {
        match self.table.get("name").map(|given| given.get_ref().as_str()) {
            None => Ok(()),
            Some(given) if given == Some(name) => Ok(()),
            Some(_) => Err(Fault::at("name", format!("must be '{name}', as the file is called, or absent"))),
        }
    }
}

/// The name of an item of an array of tables.
pub(super) fn name_of<'a>(item: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    item.get_ref().as_table()?.get("name")?.get_ref().as_str()
}
