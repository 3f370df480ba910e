//! Libraries that are found at run time, so that the program starts without them and can say what is missing.

use libloading::Library;

use crate::Error;

/// Loads `soname` for ever: engines hold functions of it until the program ends.
pub(crate) fn load(
    engine: &'static str,
    soname: &str,
    package: &'static str,
) -> Result<&'static Library, Error> {
    // SAFETY: loading runs the library's initialisers; those of the speech libraries named here only set up
    // constant tables.
    let library = unsafe { Library::new(soname) }.map_err(|_| Error::LibraryMissing {
        engine,
        library: soname.to_owned(),
        package,
    })?;
    Ok(Box::leak(Box::new(library)))
}

/// Finds a function. The type is the caller's promise and must be that of the library's header.
///
/// # Safety
/// `T` must be a function pointer type that matches the declaration of `symbol`.
pub(crate) unsafe fn function<T: Copy>(
    engine: &'static str,
    library: &'static Library,
    soname: &str,
    symbol: &str,
) -> Result<T, Error> {
    // SAFETY: the caller promises the type.
    let found = unsafe { library.get::<T>(symbol.as_bytes()) };
    let symbol = symbol.to_owned();
    found.map(|f| *f).map_err(|_| Error::LibraryWrong {
        engine,
        library: soname.to_owned(),
        symbol,
    })
}
