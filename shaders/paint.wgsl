// What egui has tessellated, painted by the plainest shader that there is: colour times texture, both as they are stored. For
// software adapters, which compute both sides of every branch of a general one.

struct Corner {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
    @location(1) colour: vec4<f32>,
}

// Width and height of the screen in points.
@group(0) @binding(0) var<uniform> screen: vec4<f32>;
@group(1) @binding(0) var image: texture_2d<f32>;
@group(1) @binding(1) var filtered: sampler;

@vertex
fn corner(@location(0) place: vec2<f32>, @location(1) uv: vec2<f32>, @location(2) colour: vec4<f32>) -> Corner {
    let position = vec4<f32>(2.0 * place.x / screen.x - 1.0, 1.0 - 2.0 * place.y / screen.y, 0.0, 1.0);
    return Corner(position, uv, colour);
}

@fragment
fn textured(in: Corner) -> @location(0) vec4<f32> {
    return in.colour * textureSample(image, filtered, in.uv);
}

// Where the texture would give white.
@fragment
fn flat_colour(in: Corner) -> @location(0) vec4<f32> {
    return in.colour;
}
