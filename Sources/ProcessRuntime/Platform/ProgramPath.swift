import Glibc

/// Finds the program that the first word of a command means, as `execvp` does, but before the fork and in the service's
/// own `PATH` and folder.
enum ProgramPath {
    /// `nil` where there is none.
    static func find(_ word: String, workdir: String, searchPath: String) -> String? {
        if word.contains("/") {
            let path = word.hasPrefix("/") ? word : "\(workdir)/\(word)"
            return isProgram(path) ? path : nil
        }
        guard !word.isEmpty else { return nil }
        for folder in searchPath.split(separator: ":", omittingEmptySubsequences: true) {
            let base = folder.hasPrefix("/") ? String(folder) : "\(workdir)/\(folder)"
            if isProgram("\(base)/\(word)") { return "\(base)/\(word)" }
        }
        return nil
    }

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
