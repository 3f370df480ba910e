//! The few functions of flite that are used, as in the headers of flite 2.2 (soname 1).
//!
//! All `unsafe` of the engine is here; [`Voice`] gives it a safe face.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    ptr::NonNull,
    sync::OnceLock,
};

use crate::{
    Error,
    dynlib::{function, load},
};

const ENGINE: &str = "flite";
const LIBRARY: &str = "libflite.so.1";

#[repr(C)]
struct Wave {
    kind: *const c_char,
    sample_rate: c_int,
    num_samples: c_int,
    num_channels: c_int,
    samples: *mut i16,
}

#[repr(C)]
struct RawVoice {
    name: *const c_char,
    features: *mut c_void,
    ffunctions: *mut c_void,
    utt_init: Option<unsafe extern "C" fn()>,
}

type Callback = unsafe extern "C" fn(*const Wave, c_int, c_int, c_int, *mut Streaming) -> c_int;

#[repr(C)]
struct Streaming {
    min_buffsize: c_int,
    asc: Option<Callback>,
    utt: *const c_void,
    item: *const c_void,
    userdata: *mut c_void,
}

const CONTINUE: c_int = 0;
const STOP: c_int = -1;

struct Functions {
    text_to_wave: unsafe extern "C" fn(*const c_char, *mut RawVoice) -> *mut Wave,
    delete_wave: unsafe extern "C" fn(*mut Wave),
    feat_set: unsafe extern "C" fn(*mut c_void, *const c_char, *const c_void),
    new_streaming: unsafe extern "C" fn() -> *mut Streaming,
    streaming_value: unsafe extern "C" fn(*mut Streaming) -> *mut c_void,
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
    let library = load(ENGINE, LIBRARY, "libflite1")?;
    // SAFETY: each type below is the declaration in flite.h and cst_audio.h of that soname.
    let functions = unsafe {
        let init: unsafe extern "C" fn() -> c_int = function(ENGINE, library, LIBRARY, "flite_init")?;
        init();
        Functions {
            text_to_wave: function(ENGINE, library, LIBRARY, "flite_text_to_wave")?,
            delete_wave: function(ENGINE, library, LIBRARY, "delete_wave")?,
            feat_set: function(ENGINE, library, LIBRARY, "feat_set")?,
            new_streaming: function(ENGINE, library, LIBRARY, "new_audio_streaming_info")?,
            streaming_value: function(ENGINE, library, LIBRARY, "audio_streaming_info_val")?,
        }
    };
    Ok(LOADED.get_or_init(|| functions))
}

/// Is the library there?
pub(super) fn probe() -> Result<(), Error> {
    functions().map(|_| ())
}

/// A voice. The library keeps one object per voice and process, so only one may be made of each.
pub(super) struct Voice {
    raw: NonNull<RawVoice>,
    streaming: NonNull<Streaming>,
    f: &'static Functions,
}

// SAFETY: a voice has no ties to the thread that made it; `&mut self` keeps it to one at a time.
unsafe impl Send for Voice {}

struct Sink<'a> {
    chunk: &'a mut dyn FnMut(&[i16], u32) -> bool,
}

unsafe extern "C" fn on_chunk(
    wave: *const Wave,
    start: c_int,
    size: c_int,
    _last: c_int,
    info: *mut Streaming,
) -> c_int {
    // SAFETY: the library calls this from within `flite_text_to_wave` in `Voice::speak`, where `userdata` points to a
    // live `Sink`; the wave holds at least `start + size` samples.
    unsafe {
        if (*info).userdata.is_null() || wave.is_null() || size <= 0 || start < 0 {
            return CONTINUE;
        }
        let sink = &mut *(*info).userdata.cast::<Sink<'_>>();
        let samples = std::slice::from_raw_parts((*wave).samples.add(start as usize), size as usize);
        let rate = u32::try_from((*wave).sample_rate).unwrap_or(0);
        if (sink.chunk)(samples, rate) {
            CONTINUE
        } else {
            STOP
        }
    }
}

impl Voice {
    /// Loads `libflite_cmu_us_NAME.so.1` and registers its voice.
    pub(super) fn load(name: &str) -> Result<Self, Error> {
        let f = functions()?;
        let soname = format!("libflite_cmu_us_{name}.so.1");
        let library = load(ENGINE, &soname, "libflite1")?;
        let symbol = format!("register_cmu_us_{name}");
        // SAFETY: every voice library of flite declares `cst_voice *register_cmu_us_NAME(const char *)`; a null
        // argument stands for "no voice folder". The streaming object is handed to the voice's features for good.
        unsafe {
            let register: unsafe extern "C" fn(*const c_char) -> *mut RawVoice =
                function(ENGINE, library, &soname, &symbol)?;
            let failed = |problem: &str| Error::Engine {
                engine: ENGINE,
                problem: format!("{name}: {problem}"),
            };
            let raw = NonNull::new(register(std::ptr::null()))
                .ok_or_else(|| failed("the voice did not register"))?;
            let streaming = NonNull::new((f.new_streaming)()).ok_or_else(|| failed("out of memory"))?;
            (*streaming.as_ptr()).asc = Some(on_chunk);
            (*streaming.as_ptr()).min_buffsize = 256;
            (*streaming.as_ptr()).userdata = std::ptr::null_mut();
            (f.feat_set)(
                (*raw.as_ptr()).features,
                c"streaming_info".as_ptr(),
                (f.streaming_value)(streaming.as_ptr()).cast_const(),
            );
            Ok(Voice { raw, streaming, f })
        }
    }

    /// Speaks `text`; gives samples and their rate to `chunk` as they come, until it returns `false`.
    pub(super) fn speak(
        &mut self,
        text: &str,
        chunk: &mut dyn FnMut(&[i16], u32) -> bool,
    ) -> Result<(), Error> {
        // Control characters mean nothing to a voice, and a zero would end the text.
        let clean: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let text = CString::new(clean).expect("control characters were replaced");
        let mut sink = Sink { chunk };
        // SAFETY: voice and streaming object live for ever; `userdata` points to `sink` only during the call, in
        // which alone the callback runs.
        unsafe {
            let info = self.streaming.as_ptr();
            (*info).userdata = (&raw mut sink).cast();
            let wave = (self.f.text_to_wave)(text.as_ptr(), self.raw.as_ptr());
            (*info).userdata = std::ptr::null_mut();
            if wave.is_null() {
                return Err(Error::Engine {
                    engine: ENGINE,
                    problem: "the text could not be spoken".to_owned(),
                });
            }
            (self.f.delete_wave)(wave);
        }
        Ok(())
    }
}
