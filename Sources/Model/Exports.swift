import Hub

// What users of the library name comes with it: the errors' protocol, presets and the hub. All else in these targets has package access.
@_exported import Files
@_exported import Hub
