/// The line of a stack trace that says what happened, and the one that says where.
enum StackTrace {
    /// - Parameter output: of one run, oldest first.
    static func lastWord(of output: [String]) -> (line: String, place: String?)? {
        python(output) ?? node(output) ?? java(output) ?? go(output) ?? rust(output)
    }

    /// `Traceback (most recent call last):`, indented frames, then `Error: …` at the margin.
    private static func python(_ output: [String]) -> (line: String, place: String?)? {
        guard let start = output.lastIndex(where: { $0.hasPrefix("Traceback (most recent call last)") }) else {
            return nil
        }
        let rest = output[(start + 1)...]
        guard let line = rest.first(where: { !$0.hasPrefix(" ") && !$0.isEmpty }) else { return nil }
        return (line, rest.last { $0.hasPrefix("  File \"") })
    }

    /// `TypeError: …` followed by `    at f (file:1:2)`.
    private static func node(_ output: [String]) -> (line: String, place: String?)? {
        guard
            let index = output.indices.dropFirst().last(where: {
                isNodeFrame(output[$0]) && !isNodeFrame(output[$0 - 1])
            })
        else { return nil }
        let line = output[index - 1]
        guard line.contains("Error") || line.contains("Exception") else { return nil }
        return (line.hasPrefix("Caused by: ") ? String(line.dropFirst(11)) : line, output[index])
    }

    private static func isNodeFrame(_ line: String) -> Bool {
        line.hasPrefix("    at ") && line.contains(":") && !line.contains(".java:")
    }

    /// `Exception in thread "main" x.Y: …` or `Caused by: …`, followed by `\tat a.b.C(C.java:1)`.
    private static func java(_ output: [String]) -> (line: String, place: String?)? {
        let index =
            output.lastIndex { $0.hasPrefix("Caused by: ") }
            ?? output.lastIndex { $0.hasPrefix("Exception in thread ") }
        guard let index else { return nil }
        return (output[index], output[(index + 1)...].first { $0.trimmed.hasPrefix("at ") })
    }

    /// `panic: …` and then goroutines.
    private static func go(_ output: [String]) -> (line: String, place: String?)? {
        guard let index = output.lastIndex(where: { $0.hasPrefix("panic: ") || $0.hasPrefix("fatal error: ") }) else {
            return nil
        }
        return (output[index], output[(index + 1)...].first { $0.hasPrefix("\t") && $0.contains(".go:") })
    }

    /// `thread 'main' panicked at src/main.rs:2:5:` and the message on the next line (or quoted on the same).
    private static func rust(_ output: [String]) -> (line: String, place: String?)? {
        guard let index = output.lastIndex(where: { $0.hasPrefix("thread '") && $0.contains("panicked at") }) else {
            return nil
        }
        guard index + 1 < output.count, !output[index + 1].hasPrefix("note:") else { return (output[index], nil) }
        return (output[index + 1], output[index])
    }
}
