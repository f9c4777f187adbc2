import Hub

// Users of the library also need the error protocol, presets and the hub. Everything else in these targets has package
// access.
@_exported import Files
@_exported import Hub
