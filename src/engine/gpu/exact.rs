//! WGSL -> SPIR-V whose float operations may be neither contracted nor reassociated, so that a driver gives the bits that
//! the CPU engine gives. wgpu has no such switch, so the module is handed to the driver as it is: the one unsafe call of
//! the engine. Knows no kernel.

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Translates a module and marks every float operation NoContraction (SPIR-V 1.6, section 3.20).
pub fn spirv(wgsl: &str) -> Result<Vec<u32>, String> {
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|e| e.emit_to_string(wgsl))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::IMMEDIATES).validate(&module).map_err(|e| e.emit_to_string(wgsl))?;
    let options = spv::Options {
        lang_version: (1, 3),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Restrict,
            image_load: BoundsCheckPolicy::Restrict,
            binding_array: BoundsCheckPolicy::Restrict,
        },
        ..spv::Options::default()
    };
    let words = spv::write_vec(&module, &info, &options, None).map_err(|e| e.to_string())?;
    no_contraction(&words)
}

/// Decorates every float operation of a module.
fn no_contraction(spv: &[u32]) -> Result<Vec<u32>, String> {
    let (mut ids, mut at, mut i) = (Vec::new(), spv.len(), 5);
    while i < spv.len() {
        let (length, code) = ((spv[i] >> 16) as usize, spv[i] & 0xffff);
        if length == 0 || i + length > spv.len() {
            return Err("a malformed SPIR-V module".into());
        }
        match code {
            // FNegate, FAdd, FSub, FMul, FDiv, FRem, FMod, vector and matrix products, Dot: word 2 is the result.
            127 | 129 | 131 | 133 | 136 | 140..=148 => ids.push(spv[i + 2]),
            // Decorations stand before the first type, constant or global variable.
            19..=59 => at = at.min(i),
            _ => {}
        }
        i += length;
    }
    let mut out = spv[..at].to_vec();
    out.extend(ids.iter().flat_map(|&id| [3 << 16 | 71, id, 42]));
    out.extend_from_slice(&spv[at..]);
    Ok(out)
}

/// A module as the driver shall take it.
#[allow(
    unsafe_code,
    reason = "only a module that wgpu does not translate keeps its decorations. The words are naga's own, validated and with checked \
              indices; decorations change no access to memory, and the ordinary module of the same text has passed wgpu's validation"
)]
pub fn passthrough(device: &wgpu::Device, entry: &str, group: u32, words: Vec<u32>) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptorPassthrough {
        label: Some(entry),
        entry_points: vec![wgpu::PassthroughShaderEntryPoint { name: entry.to_string().into(), workgroup_size: (group, 1, 1) }].into(),
        spirv: Some(words.into()),
        ..Default::default()
    };
    unsafe { device.create_shader_module_passthrough(descriptor) }
}
