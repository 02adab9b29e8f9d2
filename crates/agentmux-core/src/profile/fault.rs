//! What is wrong in a profile, and at which of its values.

/// A step on the way from the whole profile to one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a table.
    Key(String),
    /// Into an array.
    Item(usize),
}

/// What is wrong in a profile; its document knows where that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// From the inside out.
    reversed: Vec<Step>,
    pub(super) why: String,
}

impl Fault {
    /// Something about the whole of what is being checked.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { reversed: Vec::new(), why: why.into() }
    }

    /// Something about the value of a key.
    pub(super) fn at(key: &str, why: impl Into<String>) -> Self {
        Self::new(why).within(key)
    }

    /// The same, seen from the table around it.
    pub(super) fn within(mut self, key: &str) -> Self {
        self.reversed.push(Step::Key(key.to_owned()));
        self
    }

    /// The same, seen from outside the array that this is an item of.
    pub(super) fn in_item(mut self, array: &str, at: usize) -> Self {
        self.reversed.push(Step::Item(at));
        self.within(array)
    }

    /// The steps from the whole profile to the value.
    pub(super) fn path(&self) -> impl Iterator<Item = &Step> {
        self.reversed.iter().rev()
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::new(why)
    }
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        Self::new(why)
    }
}
