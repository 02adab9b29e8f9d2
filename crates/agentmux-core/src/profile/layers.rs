//! `extends`: a profile laid over another one.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::document::name_of;
use super::fault::Fault;

/// Lays a profile over what it extends, less what it removes of that.
///
/// Tables are merged key by key. Of arrays of tables the own items come first; one that is named like an inherited one
/// takes its place. Everything else replaces what is inherited.
pub(super) fn overlay<'a>(mut own: DeTable<'a>, mut inherited: DeTable<'a>) -> Result<DeTable<'a>, Fault> {
    if let Some(removed) = own.remove("remove") {
        remove(&removed, &mut inherited).map_err(|fault| fault.within("remove"))?;
    }
    own.remove("extends");
    names_are_unique(&own)?;
    Ok(merge(own, inherited))
}

/// Two items of one name could not be told apart in evidence, nor replaced.
fn names_are_unique(own: &DeTable<'_>) -> Result<(), Fault> {
    for (key, value) in own {
        let mut seen = BTreeSet::new();
        let items = value.get_ref().as_array().into_iter().flat_map(|array| array.iter());
        for (at, item) in items.enumerate() {
            if name_of(item).is_some_and(|name| !seen.insert(name)) {
                let fault = Fault::at("name", "there is another one of that name above");
                return Err(fault.in_item(key.get_ref().as_ref(), at));
            }
        }
    }
    Ok(())
}

fn merge<'a>(own: DeTable<'a>, mut inherited: DeTable<'a>) -> DeTable<'a> {
    for (key, value) in own {
        let merged = match inherited.remove(key.get_ref().as_ref()) {
            Some(below) => laid_over(value, below),
            None => value,
        };
        inherited.insert(key, merged);
    }
    inherited
}

fn laid_over<'a>(own: Spanned<DeValue<'a>>, below: Spanned<DeValue<'a>>) -> Spanned<DeValue<'a>> {
    let span = own.span();
    let merged = match (own.into_inner(), below.into_inner()) {
        (DeValue::Table(own), DeValue::Table(below)) => DeValue::Table(merge(own, below)),
        (DeValue::Array(own), DeValue::Array(below)) if is_named(&own) && is_named(&below) => {
            DeValue::Array(merge_items(own, below))
        }
        (own, _) => own,
    };
    Spanned::new(span, merged)
}

fn is_named(array: &DeArray<'_>) -> bool {
    !array.is_empty() && array.iter().all(|item| name_of(item).is_some())
}

fn merge_items<'a>(own: DeArray<'a>, below: DeArray<'a>) -> DeArray<'a> {
    let mut below: Vec<_> = below.into_iter().collect();
    let mut first = Vec::new();
    for item in own {
        match below.iter_mut().find(|inherited| name_of(inherited) == name_of(&item)) {
            Some(inherited) => *inherited = item,
            None => first.push(item),
        }
    }
    first.into_iter().chain(below).collect()
}

/// `[remove]`: the names of items by the array that they are in (`rule = ["title spins"]`), and under `key` the names
/// of other keys (`key = ["box.placeholder"]`).
fn remove(removed: &Spanned<DeValue<'_>>, inherited: &mut DeTable<'_>) -> Result<(), Fault> {
    let arrays = removed.get_ref().as_table();
    let arrays = arrays.ok_or("must be a table of lists, such as rule = [\"title spins\"]")?;
    for (array, names) in arrays {
        let array = array.get_ref().as_ref();
        let fault = |why: String| Fault::at(array, why);
        let names = names.get_ref().as_array().ok_or_else(|| fault("must be a list of names".to_owned()))?;
        for name in names.iter().map(|name| name.get_ref().as_str()) {
            let name = name.ok_or_else(|| fault("must be a list of names".to_owned()))?;
            let is_gone =
                if array == "key" { drop_key(inherited, name) } else { drop_item(inherited, array, name) };
            if !is_gone {
                return Err(fault(format!("'{name}' is not there to be removed")));
            }
        }
    }
    Ok(())
}

fn drop_item(table: &mut DeTable<'_>, array: &str, name: &str) -> bool {
    let Some(DeValue::Array(items)) = table.get_mut(array).map(Spanned::get_mut) else { return false };
    let before = items.len();
    *items = std::mem::replace(items, DeArray::new())
        .into_iter()
        .filter(|item| name_of(item) != Some(name))
        .collect();
    items.len() < before
}

fn drop_key(table: &mut DeTable<'_>, path: &str) -> bool {
    match path.split_once('.') {
        None => table.remove(path).is_some(),
        Some((key, rest)) => match table.get_mut(key).map(Spanned::get_mut) {
            Some(DeValue::Table(inner)) => drop_key(inner, rest),
            _ => false,
        },
    }
}
