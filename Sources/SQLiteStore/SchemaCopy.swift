import Files
import Foundation
import Storage

/// What a store was before its schema was changed: a copy beside it, `<path>.before-<version>`, from which an older program
/// can go on. Only the last one is kept.
struct SchemaCopy {
    let path: String

    private static let mark = ".before-"

    func name(_ version: Int) -> String { path + Self.mark + "\(version)" }

    /// Made before the first step of a migration; without it nothing is migrated.
    func make(_ connection: Connection, version: Int) throws(StoreError) {
        let copy = name(version)
        // Of a migration that was interrupted.
        unlink(copy + ".new")
        do throws(StoreError) {
            try connection.copy(to: copy + ".new")
        } catch {
            throw StoreError(
                error.code, "the store \(path) was not migrated, because no copy of it could be made: \(error.message)",
                hint: error.hint ?? "make room on the disk of \(path)")
        }
        guard rename(copy + ".new", copy) == 0 else {
            throw StoreError.fromSystem(errno, "cannot keep the copy \(copy)", path: path)
        }
        do {
            try AtomicFile.syncFolder(of: copy)
        } catch {
            throw StoreError(.ioError, "\(error)")
        }
        removeOthers(than: copy)
    }

    private func removeOthers(than kept: String) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = String(path[..<slash])
        // What cannot be listed stays; nothing depends on it.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let start = path[path.index(after: slash)...] + Self.mark
        for name in names where name.hasPrefix(start) && "\(folder)/\(name)" != kept { unlink("\(folder)/\(name)") }
    }
}
