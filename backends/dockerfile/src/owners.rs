//! Owners, by number and by name.
//!
//! `COPY --chown` looks names up in the `/etc/passwd` and `/etc/group` that it finds where it copies
//! to. Buildah and the classic builder fail at a name that is not there. BuildKit makes the files
//! root's, without a word, so there the build looks the names up first.

use cogpack_backends_contract::accounts::{Account, names, numeric};
use cogpack_ir::plan::{OpKind, Owner, Span, Spanned};

use crate::dialect::Dialect;
use crate::programs::{GREP, SHELL, touches};
use crate::section::Section;

/// Root, as `--chown` takes it.
pub(crate) const ROOT: &str = "0:0";

/// An owner as `--chown` and `chown` take it; [`ROOT`] where nothing is said.
pub(crate) fn written(
    section: &mut Section<'_, '_>,
    owner: Option<&Spanned<Owner>>,
    span: Span,
) -> Option<String> {
    let Some(owner) = owner else { return Some(ROOT.to_owned()) };
    match (numeric(&owner.value), &owner.value.group) {
        (Some(ids), _) => Some(format!("{}:{}", ids.user, ids.group)),
        (None, Some(_)) => Some(owner.value.to_string()),
        (None, None) => {
            section.lowering.refuse(
                "cpk::unsupported::owner",
                format!("owner `{}` by name without a group, on which builders disagree", owner.value),
                said_at(owner, span),
                "write the group as well, for instance `app:app`",
            );
            None
        }
    }
}

/// The same for `COPY --chown`, whose names are surely there or make the build fail.
pub(crate) fn written_for_copy(
    section: &mut Section<'_, '_>,
    owner: Option<&Spanned<Owner>>,
    span: Span,
) -> Option<String> {
    let written = written(section, owner, span)?;
    let fails_by_itself = match section.lowering.dialect {
        Dialect::BuildKit { .. } => false,
        Dialect::Buildah | Dialect::Legacy => true,
    };
    let Some(owner) = owner.filter(|owner| numeric(&owner.value).is_none() && !fails_by_itself) else {
        return Some(written);
    };
    if section.bare {
        section.lowering.refuse(
            "cpk::unsupported::owner-name",
            format!(
                "owner `{}` by name in a stage without programs, where nothing can look it up",
                owner.value
            ),
            said_at(owner, span),
            "write user and group as numbers",
        );
        return None;
    }
    let looks: Vec<String> = names(&owner.value)
        .map(|(account, name)| format!("{GREP} -q '^{}:' {}", literal(name), account.file()))
        .collect();
    let look = looks.join(" && ");
    if section.looked_up.insert(look.clone()) {
        section.comment("COPY would give it to root where there is no such user or group");
        section.look_as_root(&[SHELL, "-c", &look], span);
    }
    Some(written)
}

/// Forgets what was looked up where an op may have changed that.
pub(crate) fn forget_changed(section: &mut Section<'_, '_>, op: &OpKind) {
    if [Account::User, Account::Group].iter().any(|account| touches(op, account.file())) {
        section.looked_up.clear();
    }
}

/// A name as a regular expression that matches nothing else.
fn literal(name: &str) -> String {
    name.replace('.', "[.]").replace('$', "[$]")
}

fn said_at(owner: &Spanned<Owner>, otherwise: Span) -> Span {
    if owner.span.range().is_some() { owner.span } else { otherwise }
}
