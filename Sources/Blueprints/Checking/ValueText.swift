/// Values that are written as text with a grammar of their own.
enum ValueText {
    /// A signal by name or number, as `SIGTERM`; `nil` for what is none that asks a program to end.
    static func signal(_ text: String) -> String? {
        let numbers = [
            "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13, "ALRM": 14,
            "TERM": 15, "WINCH": 28,
        ]
        if let number = Int(text) { return numbers.first { $0.value == number }.map { "SIG" + $0.key } }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        return numbers[name] == nil ? nil : "SIG" + name
    }
}
