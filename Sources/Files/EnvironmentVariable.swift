import Glibc

/// The value of an environment variable, which may be a path; nil if it is not set.
package func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cPath: $0) } }
