import Glibc

/// The identity of a file, by device and inode, regardless of the names that lead to it.
package struct FileIdentity: Equatable {
  private let device, inode: UInt64
  package let isRegularFile: Bool

  /// The file that a path leads to, with links followed; nil if there is none.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path.cPath, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The file of a descriptor; nil if the descriptor is not open.
  package init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    isRegularFile = status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether a path still leads to an open file.
  package static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
    guard let open = FileIdentity(descriptor: descriptor) else { return false }
    return open == FileIdentity(path)
  }
}
