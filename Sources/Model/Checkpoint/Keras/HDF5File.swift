import Files

/// Finds variables in an HDF5 file written by Keras.
///
/// libhdf5 reads the structure of the file: groups, types, shapes, and the offset of each variable in the file. The
/// numbers are then read from the mapped file, as with safetensors. This works for what Keras writes: contiguous,
/// uncompressed, little-endian variables. Links to other files, external storage, filters and plug-ins are rejected.
///
/// The library is included only in builds with the trait KerasWeights.
#if KerasWeights
  @preconcurrency import CHDF5
  import Synchronization

  enum HDF5File {
    /// The library is not thread-safe in every build. It is initialized at first use.
    private static let library = Mutex(false)

    // Macros that Swift does not import.
    private static let defaultProperties: hid_t = 0  // H5P_DEFAULT, H5E_DEFAULT
    private static let readOnly: UInt32 = 0  // H5F_ACC_RDONLY

    /// Returns a view of each variable, or nil if the file has none of its paths.
    ///
    /// - Parameter paths: for each variable, the paths that it may have.
    /// - Throws: `FileError`; `CheckpointError` for a file that is not HDF5 or damaged, or a variable that is not
    ///   stored as by Keras.
    static func variables(_ paths: [[String]], in file: String) throws -> [TensorView?] {
      let mapping = try FileMapping(path: file)
      guard mapping.bytes.starts(with: [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) else {
        guard let format = ForeignFormat(mapping.bytes) else { throw CheckpointError.notHDF5(file: file) }
        throw CheckpointError.otherFormat(file: file, format, expected: "an HDF5 file")
      }
      return try library.withLock { isReady in
        if !isReady {
          H5open()
          H5PLset_loading_state(0)
          isReady = true
        }
        // By default, the library prints its errors to stderr. In thread-safe builds, this setting is per thread.
        H5Eset_auto2(defaultProperties, nil, nil)
        return try find(paths, mapping)
      }
    }

    private static func find(_ paths: [[String]], _ mapping: FileMapping) throws(CheckpointError) -> [TensorView?] {
      // Locks would fail on some file systems, and nothing is written.
      let opening = H5Pcreate(H5P_CLS_FILE_ACCESS_ID_g)
      defer { H5Pclose(opening) }
      H5Pset_file_locking(opening, false, true)
      let file = H5Fopen(OpenDirectory.systemPath(mapping.path).cPath, readOnly, opening)
      guard file >= 0 else { throw .damagedHDF5(file: mapping.path, what: "libhdf5 cannot open the file") }
      defer { H5Fclose(file) }
      let access = H5Pcreate(H5P_CLS_DATASET_ACCESS_ID_g)
      defer { H5Pclose(access) }
      guard H5Pset_elink_cb(access, { _, _, _, _, _, _, _ in -1 }, nil) >= 0 else {
        throw .damagedHDF5(file: mapping.path, what: "libhdf5 cannot be initialized")
      }
      var views: [TensorView?] = []
      for candidates in paths {
        var view: TensorView?
        for path in candidates where view == nil { view = try variable(path, file, access, mapping) }
        views.append(view)
      }
      return views
    }

    private static func variable(
      _ path: String, _ file: hid_t, _ access: hid_t, _ mapping: FileMapping
    ) throws(CheckpointError) -> TensorView? {
      let damaged = CheckpointError.damagedHDF5(file: mapping.path, what: "cannot read '\(path)'")
      // A path may be queried only if all groups above it exist.
      let bytes = path.utf8
      var start = bytes.startIndex
      while start < bytes.endIndex {
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
        let exists = H5Lexists(file, String(path[..<end]), access)
        if exists == 0 { return nil }
        guard exists > 0 else { throw damaged }
        start = end < bytes.endIndex ? bytes.index(after: end) : end
      }
      let dataset = H5Dopen2(file, path, access)
      guard dataset >= 0 else { throw damaged }
      defer { H5Dclose(dataset) }
      guard let shape = shape(dataset), let type = try elementType(dataset, path, mapping.path) else { throw damaged }
      let offset = try offset(dataset, path, mapping.path)
      var size = type.size
      for dimension in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw damaged }
        size = product
      }
      let (end, overflow) = offset.addingReportingOverflow(size)
      guard !overflow else { throw damaged }
      guard end <= mapping.bytes.count else {
        throw .truncated(file: mapping.path, have: mapping.bytes.count, need: end)
      }
      return TensorView(
        name: path, type: type, shape: shape, count: size / type.size, offset: offset, mapping: mapping)
    }

    /// Returns the shape; nil if the file is damaged.
    private static func shape(_ dataset: hid_t) -> [Int]? {
      let space = H5Dget_space(dataset)
      guard space >= 0 else { return nil }
      defer { H5Sclose(space) }
      let rank = Int(H5Sget_simple_extent_ndims(space))
      guard (0...32).contains(rank) else { return nil }  // H5S_MAX_RANK
      var dimensions = [hsize_t](repeating: 0, count: rank)
      guard rank == 0 || H5Sget_simple_extent_dims(space, &dimensions, nil) == Int32(rank) else { return nil }
      let shape = dimensions.compactMap { Int(exactly: $0) }
      return shape.count == rank ? shape : nil
    }

    /// Returns the element type; nil if the file is damaged.
    private static func elementType(
      _ dataset: hid_t, _ path: String, _ file: String
    ) throws(CheckpointError) -> ElementType? {
      let type = H5Dget_type(dataset)
      guard type >= 0 else { return nil }
      defer { H5Tclose(type) }
      let size = H5Tget_size(type)
      switch H5Tget_class(type) {
      case H5T_FLOAT:
        if H5Tget_order(type) == H5T_ORDER_LE, let known = floatType(type, size) { return known }
        throw .unsupportedVariable(
          file: file, variable: path, what: "contains numbers that are not little-endian IEEE floats")
      case H5T_OPAQUE:
        // Keras' storage format for bfloat16.
        if size == 2 { return .bfloat16 }
      case H5T_INTEGER:
        let isSigned = H5Tget_sign(type) != H5T_SGN_NONE
        switch size {
        case 1: return isSigned ? .int8 : .uint8
        case 2: return isSigned ? .int16 : .uint16
        case 4: return isSigned ? .int32 : .uint32
        case 8: return isSigned ? .int64 : .uint64
        default: break
        }
      case H5T_NO_CLASS: return nil
      default: break
      }
      throw .unsupportedVariable(file: file, variable: path, what: "does not contain numbers")
    }

    private static func floatType(_ type: hid_t, _ size: Int) -> ElementType? {
      var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
      guard H5Tget_fields(type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits) >= 0 else { return nil }
      guard H5Tget_precision(type) == 8 * size, H5Tget_offset(type) == 0, H5Tget_norm(type) == H5T_NORM_IMPLIED,
        mantissa == 0, exponent == mantissaBits, sign == exponent + exponentBits
      else { return nil }
      switch (size, exponentBits, mantissaBits, H5Tget_ebias(type)) {
      case (2, 5, 10, 15): return .float16
      case (2, 8, 7, 127): return .bfloat16
      case (4, 8, 23, 127): return .float32
      case (8, 11, 52, 1023): return .float64
      default: return nil
      }
    }

    /// Returns the offset of the numbers in the file.
    private static func offset(_ dataset: hid_t, _ path: String, _ file: String) throws(CheckpointError) -> Int {
      let creation = H5Dget_create_plist(dataset)
      guard creation >= 0 else { throw .damagedHDF5(file: file, what: "cannot read '\(path)'") }
      defer { H5Pclose(creation) }
      guard H5Pget_layout(creation) == H5D_CONTIGUOUS, H5Pget_external_count(creation) == 0,
        H5Pget_nfilters(creation) == 0
      else {
        throw .unsupportedVariable(
          file: file, variable: path,
          what: "is chunked, compressed or stored in another file, unlike Keras' files")
      }
      guard let offset = Int(exactly: H5Dget_offset(dataset)) else {
        throw .unsupportedVariable(file: file, variable: path, what: "has no values in the file")
      }
      return offset
    }
  }
#else
  enum HDF5File {
    /// Throws: this build has no libhdf5.
    static func variables(_ paths: [[String]], in file: String) throws -> [TensorView?] {
      throw CheckpointError.kerasWeightsNotBuilt(file: file)
    }
  }
#endif
