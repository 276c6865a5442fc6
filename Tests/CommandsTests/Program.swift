import Foundation
import TestSupport

/// Writes an executable script.
///
/// A child writes it: were the file open for writing in this process, a program that another test starts at that moment
/// would hold it open, and running it would fail with ETXTBSY.
func writeProgram(_ text: String, to path: String) throws {
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = ["-c", #"printf '%s' "$1" > "$2" && chmod 755 "$2""#, "sh", text, path]
    try shell.run()
    shell.waitUntilExit()
    guard shell.terminationStatus == 0 else { throw NeverHappened(description: "\(path) could not be written") }
}
