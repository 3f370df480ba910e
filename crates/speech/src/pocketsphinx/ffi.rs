//! The few functions of PocketSphinx that are used, as in the headers of Debian's 0.8+5prealpha (soname 3).
//!
//! All `unsafe` of the engine is here; [`Raw`] gives it a safe face. A decoder is used by one thread at a time.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    ptr::NonNull,
    sync::OnceLock,
};

use crate::{
    Error,
    dynlib::{function, load},
};

const ENGINE: &str = "pocketsphinx";
const SPHINX: &str = "libpocketsphinx.so.3";
const BASE: &str = "libsphinxbase.so.3";
const PACKAGE: &str = "libpocketsphinx3";

/// Length of the cepstral mean vector of the acoustic models.
pub(crate) const CEPSTRA: usize = 13;

/// A cepstral mean: what the front end subtracts, i.e. what it knows of speaker and line.
pub(crate) type Mean = [f32; CEPSTRA];

/// First members of `feat_t` up to the one that is needed.
#[repr(C)]
struct Feat {
    refcount: c_int,
    name: *mut c_char,
    cepsize: i32,
    n_stream: i32,
    stream_len: *mut u32,
    window_size: i32,
    n_sv: i32,
    sv_len: *mut u32,
    subvecs: *mut *mut i32,
    sv_buf: *mut f32,
    sv_dim: i32,
    cmn: c_int,
    varnorm: i32,
    agc: c_int,
    compute_feat: Option<unsafe extern "C" fn()>,
    cmn_struct: *mut Cmn,
}

#[repr(C)]
struct Cmn {
    mean: *mut f32,
    var: *mut f32,
    sum: *mut f32,
    nframe: i32,
    veclen: i32,
}

type Ps = *mut c_void;

struct Functions {
    args: unsafe extern "C" fn() -> *const c_void,
    init: unsafe extern "C" fn(*mut c_void) -> Ps,
    free: unsafe extern "C" fn(Ps) -> c_int,
    start_stream: unsafe extern "C" fn(Ps) -> c_int,
    start_utt: unsafe extern "C" fn(Ps) -> c_int,
    process_raw: unsafe extern "C" fn(Ps, *const i16, usize, c_int, c_int) -> c_int,
    end_utt: unsafe extern "C" fn(Ps) -> c_int,
    get_hyp: unsafe extern "C" fn(Ps, *mut i32) -> *const c_char,
    get_n_frames: unsafe extern "C" fn(Ps) -> c_int,
    get_feat: unsafe extern "C" fn(Ps) -> *mut Feat,
    set_jsgf_string: unsafe extern "C" fn(Ps, *const c_char, *const c_char) -> c_int,
    set_search: unsafe extern "C" fn(Ps, *const c_char) -> c_int,
    unset_search: unsafe extern "C" fn(Ps, *const c_char) -> c_int,
    add_word: unsafe extern "C" fn(Ps, *const c_char, *const c_char, c_int) -> c_int,
    parse: unsafe extern "C" fn(*mut c_void, *const c_void, i32, *mut *mut c_char, i32) -> *mut c_void,
    free_args: unsafe extern "C" fn(*mut c_void) -> c_int,
    cmn_live_set: unsafe extern "C" fn(*mut Cmn, *const f32),
}

// SAFETY: plain function addresses.
unsafe impl Sync for Functions {}
// SAFETY: plain function addresses.
unsafe impl Send for Functions {}

fn functions() -> Result<&'static Functions, Error> {
    static LOADED: OnceLock<Functions> = OnceLock::new();
    if let Some(f) = LOADED.get() {
        return Ok(f);
    }
    // The base first: the other library names it and would fail without telling which one is missing.
    let base = load(ENGINE, BASE, "libsphinxbase3")?;
    let sphinx = load(ENGINE, SPHINX, PACKAGE)?;
    // SAFETY: each type below is the declaration in pocketsphinx.h, cmd_ln.h, cmn.h and err.h of that soname.
    let functions = unsafe {
        let silence: unsafe extern "C" fn(*mut c_void) = function(ENGINE, base, BASE, "err_set_logfp")?;
        silence(std::ptr::null_mut());
        Functions {
            args: function(ENGINE, sphinx, SPHINX, "ps_args")?,
            init: function(ENGINE, sphinx, SPHINX, "ps_init")?,
            free: function(ENGINE, sphinx, SPHINX, "ps_free")?,
            start_stream: function(ENGINE, sphinx, SPHINX, "ps_start_stream")?,
            start_utt: function(ENGINE, sphinx, SPHINX, "ps_start_utt")?,
            process_raw: function(ENGINE, sphinx, SPHINX, "ps_process_raw")?,
            end_utt: function(ENGINE, sphinx, SPHINX, "ps_end_utt")?,
            get_hyp: function(ENGINE, sphinx, SPHINX, "ps_get_hyp")?,
            get_n_frames: function(ENGINE, sphinx, SPHINX, "ps_get_n_frames")?,
            get_feat: function(ENGINE, sphinx, SPHINX, "ps_get_feat")?,
            set_jsgf_string: function(ENGINE, sphinx, SPHINX, "ps_set_jsgf_string")?,
            set_search: function(ENGINE, sphinx, SPHINX, "ps_set_search")?,
            unset_search: function(ENGINE, sphinx, SPHINX, "ps_unset_search")?,
            add_word: function(ENGINE, sphinx, SPHINX, "ps_add_word")?,
            parse: function(ENGINE, base, BASE, "cmd_ln_parse_r")?,
            free_args: function(ENGINE, base, BASE, "cmd_ln_free_r")?,
            cmn_live_set: function(ENGINE, base, BASE, "cmn_live_set")?,
        }
    };
    Ok(LOADED.get_or_init(|| functions))
}

/// Are the libraries there?
pub(crate) fn probe() -> Result<(), Error> {
    functions().map(|_| ())
}

fn failed(problem: impl Into<String>) -> Error {
    Error::Engine {
        engine: ENGINE,
        problem: problem.into(),
    }
}

fn text(s: &str) -> Result<CString, Error> {
    CString::new(s).map_err(|_| failed("a text holds a zero byte"))
}

/// A decoder.
pub(crate) struct Raw {
    ps: NonNull<c_void>,
    f: &'static Functions,
}

// SAFETY: a decoder has no ties to the thread that made it; `&mut self` keeps it to one at a time.
unsafe impl Send for Raw {}

impl Raw {
    /// Makes a decoder from command-line style arguments: `["-hmm", "/…", …]`.
    pub(crate) fn new(arguments: &[(&str, &str)]) -> Result<Self, Error> {
        let f = functions()?;
        let mut owned = vec![text("roomtone")?];
        for (key, value) in arguments {
            owned.push(text(key)?);
            owned.push(text(value)?);
        }
        let mut argv: Vec<*mut c_char> = owned.iter().map(|s| s.as_ptr().cast_mut()).collect();
        // SAFETY: argv holds as many valid strings as it says and the parser copies what it keeps; the decoder
        // takes its own reference on the parsed arguments, ours is given back.
        let ps = unsafe {
            let config = (f.parse)(
                std::ptr::null_mut(),
                (f.args)(),
                argv.len() as i32,
                argv.as_mut_ptr(),
                1,
            );
            if config.is_null() {
                return Err(failed("the library refused its arguments"));
            }
            let ps = (f.init)(config);
            (f.free_args)(config);
            ps
        };
        NonNull::new(ps)
            .map(|ps| Raw { ps, f })
            .ok_or_else(|| failed("the library could not load the acoustic model"))
    }

    /// Adds a word; `update` rebuilds the current search, which the last of many words needs.
    pub(crate) fn add_word(&mut self, word: &str, phones: &str) -> Result<(), Error> {
        let (w, p) = (text(word)?, text(phones)?);
        // SAFETY: valid decoder and strings.
        let id = unsafe { (self.f.add_word)(self.ps.as_ptr(), w.as_ptr(), p.as_ptr(), 0) };
        if id < 0 {
            Err(failed(format!("the word {word:?} was refused")))
        } else {
            Ok(())
        }
    }

    /// Compiles a grammar under a name.
    pub(crate) fn set_grammar(&mut self, name: &str, jsgf: &str) -> Result<(), Error> {
        let (n, g) = (text(name)?, text(jsgf)?);
        // SAFETY: valid decoder and strings.
        let code = unsafe { (self.f.set_jsgf_string)(self.ps.as_ptr(), n.as_ptr(), g.as_ptr()) };
        if code < 0 {
            Err(failed(format!("the grammar {name} was refused")))
        } else {
            Ok(())
        }
    }

    /// Switches to a compiled grammar.
    pub(crate) fn use_grammar(&mut self, name: &str) -> Result<(), Error> {
        let n = text(name)?;
        // SAFETY: valid decoder and string.
        let code = unsafe { (self.f.set_search)(self.ps.as_ptr(), n.as_ptr()) };
        if code < 0 {
            Err(failed(format!("there is no grammar {name}")))
        } else {
            Ok(())
        }
    }

    /// Forgets a compiled grammar, which must not be the one in use.
    pub(crate) fn drop_grammar(&mut self, name: &str) -> Result<(), Error> {
        let n = text(name)?;
        // SAFETY: valid decoder and string; the search in use is another one.
        let code = unsafe { (self.f.unset_search)(self.ps.as_ptr(), n.as_ptr()) };
        if code < 0 {
            Err(failed(format!("the grammar {name} could not be dropped")))
        } else {
            Ok(())
        }
    }

    /// Begins an utterance with a known cepstral mean, so that what was heard before has no say in it.
    pub(crate) fn start(&mut self, mean: &Mean) -> Result<(), Error> {
        // SAFETY: valid decoder; the feature object and its mean live as long as the decoder, and the mean's length
        // is checked before thirteen values are read from ours.
        unsafe {
            let cmn = (*(self.f.get_feat)(self.ps.as_ptr())).cmn_struct;
            if (*cmn).veclen as usize != CEPSTRA {
                return Err(failed("the acoustic model has another feature length"));
            }
            (self.f.start_stream)(self.ps.as_ptr());
            (self.f.cmn_live_set)(cmn, mean.as_ptr());
            if (self.f.start_utt)(self.ps.as_ptr()) < 0 {
                return Err(failed("no utterance could be started"));
            }
        }
        Ok(())
    }

    /// Gives sound, 16 kHz.
    pub(crate) fn feed(&mut self, samples: &[i16]) -> Result<(), Error> {
        // SAFETY: valid decoder; the slice is only read.
        let code = unsafe { (self.f.process_raw)(self.ps.as_ptr(), samples.as_ptr(), samples.len(), 0, 0) };
        if code < 0 {
            Err(failed("sound was refused"))
        } else {
            Ok(())
        }
    }

    /// Ends the utterance: words (empty if none fits), total score, frames of 10 ms.
    pub(crate) fn finish(&mut self) -> Result<(String, i32, u32), Error> {
        // SAFETY: valid decoder; the hypothesis is copied before the decoder is touched again.
        unsafe {
            if (self.f.end_utt)(self.ps.as_ptr()) < 0 {
                return Err(failed("the utterance could not be ended"));
            }
            let mut score = 0;
            let hyp = (self.f.get_hyp)(self.ps.as_ptr(), &mut score);
            let words = if hyp.is_null() {
                String::new()
            } else {
                CStr::from_ptr(hyp).to_string_lossy().into_owned()
            };
            let frames = (self.f.get_n_frames)(self.ps.as_ptr());
            Ok((words, score, u32::try_from(frames).unwrap_or(0)))
        }
    }

    /// What the front end has learnt of speaker and line; start value of this speaker's next utterance.
    pub(crate) fn mean(&mut self) -> Option<Mean> {
        // SAFETY: as in `start`; thirteen values are copied out after the length is checked.
        unsafe {
            let cmn = (*(self.f.get_feat)(self.ps.as_ptr())).cmn_struct;
            if (*cmn).veclen as usize != CEPSTRA {
                return None;
            }
            let mut mean = [0.0; CEPSTRA];
            std::ptr::copy_nonoverlapping((*cmn).mean, mean.as_mut_ptr(), CEPSTRA);
            Some(mean)
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the last use of the pointer.
        unsafe {
            (self.f.free)(self.ps.as_ptr());
        }
    }
}
