//! Texts of a resolved plan.

use cogpack_ir::plan::Template;

use crate::filesystem::Failure;

/// A path, whose variables are all known.
pub fn literal(template: &Template) -> Result<String, Failure> {
    let known = template.as_literal().map(std::borrow::Cow::into_owned);
    known.ok_or_else(|| Failure(format!("`{}` leans on a variable that is not known", template.as_written())))
}

/// What may lean on a variable of a base whose config is not known: that is then a part of it.
pub fn known_or_written(template: &Template) -> String {
    template.as_literal().map_or_else(|| template.as_written().to_owned(), std::borrow::Cow::into_owned)
}
