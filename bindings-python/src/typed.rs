//! Values with the types that Python's type checkers are told, where Rust's own types say less.

use std::convert::Infallible;
use std::marker::PhantomData;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
#[cfg(feature = "stubs")]
use pyo3::{
    inspect::{PyStaticConstant, PyStaticExpr},
    type_hint_identifier as named, type_hint_subscript as of,
};

/// An object of the type `T`.
pub(crate) struct Typed<'py, T> {
    object: Bound<'py, PyAny>,
    of: PhantomData<T>,
}

impl<'py, T> Typed<'py, T> {
    pub(crate) fn new(object: impl IntoPyObject<'py>, py: Python<'py>) -> PyResult<Self> {
        Ok(Self { object: object.into_bound_py_any(py)?, of: PhantomData })
    }
}

/// How a type is written.
pub(crate) trait Hint {
    #[cfg(feature = "stubs")]
    const TYPE: PyStaticExpr;
}

impl<'py, T: Hint> IntoPyObject<'py> for Typed<'py, T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    #[cfg(feature = "stubs")]
    const OUTPUT_TYPE: PyStaticExpr = T::TYPE;

    fn into_pyobject(self, _py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.object)
    }
}

macro_rules! hints {
    ($($(#[$doc:meta])* $name:ident = $hint:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Hint for $name {
            #[cfg(feature = "stubs")]
            const TYPE: PyStaticExpr = $hint;
        }
    )*};
}

#[cfg(feature = "stubs")]
const ANY_NUMBER: PyStaticExpr = PyStaticExpr::Constant { value: PyStaticConstant::Ellipsis };

#[cfg(feature = "stubs")]
const fn word(value: &'static str) -> PyStaticExpr {
    PyStaticExpr::Constant { value: PyStaticConstant::Str(value) }
}

hints! {
    /// `tuple[int, ...]`
    Ints = of!(named!("builtins", "tuple"), named!("builtins", "int"), ANY_NUMBER);
    /// `tuple[str, ...]`
    Texts = of!(named!("builtins", "tuple"), named!("builtins", "str"), ANY_NUMBER);
    /// `dict[str, str]`
    Variables = of!(named!("builtins", "dict"), named!("builtins", "str"), named!("builtins", "str"));
    /// `Iterator[int]`
    IntIterator = of!(named!("collections.abc", "Iterator"), named!("builtins", "int"));
    /// `list[EnvironmentInfo]`
    EnvironmentInfos = of!(named!("builtins", "list"), named!("portalloc.summaries", "EnvironmentInfo"));
    /// `list[LeaseInfo]`
    LeaseInfos = of!(named!("builtins", "list"), named!("portalloc.summaries", "LeaseInfo"));
    /// Who is on a port.
    PortReport = named!("portalloc.summaries", "PortReport");
    /// What a check of an environment found.
    Validation = named!("portalloc.summaries", "Validation");
    /// What the doctor found.
    DoctorReport = named!("portalloc.summaries", "DoctorReport");
    /// What came of ending an environment's servers.
    StopReport = named!("portalloc.summaries", "StopReport");
    /// Python's own socket.
    Socket = named!("socket", "socket");
    /// What `guard_state` says.
    GuardWord = of!(named!("typing", "Literal"), word("none"), word("shared"), word("exclusive"));
    /// What `lifetime` says.
    LifetimeWord = of!(named!("typing", "Literal"), word("held"), word("kept"));
}
