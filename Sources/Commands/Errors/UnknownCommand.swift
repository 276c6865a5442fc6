import ArgumentParser

/// A mistyped noun or verb, with the one that was probably meant.
enum UnknownCommand {
    static func failure(in arguments: [String], _ root: any ParsableCommand.Type) -> CommandFailure? {
        var command = root
        var path = [name(of: root)]
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            if subcommands.isEmpty || argument.hasPrefix("-") || argument == "help" { return nil }
            guard let next = subcommands.first(where: { names(of: $0).contains(argument) }) else {
                let names = subcommands.filter { $0.configuration.shouldDisplay }.map(name)
                return unknown(argument, path.joined(separator: " "), names)
            }
            command = next
            path.append(name(of: next))
        }
        return nil
    }

    private static func unknown(_ argument: String, _ path: String, _ names: [String]) -> CommandFailure {
        let nearest = names.map { (name: $0, distance: distance($0, argument)) }.min { $0.distance < $1.distance }
        let hint: String
        if let nearest, nearest.distance <= max(1, nearest.name.count / 3) {
            hint = "did you mean `\(path) \(nearest.name)`?"
        } else {
            hint = "`\(path)` knows: " + names.joined(separator: ", ")
        }
        return CommandFailure(.usage, "`\(path)` has no command `\(argument.visible)`", hint: hint)
    }

    private static func name(of command: any ParsableCommand.Type) -> String { command._commandName }

    private static func names(of command: any ParsableCommand.Type) -> [String] { [command._commandName] }

    /// Levenshtein's distance, of which only small values matter.
    static func distance(_ a: String, _ b: String) -> Int {
        guard b.count <= 64 else { return b.count }
        let b = Array(b)
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let insertion = min(row[j + 1], row[j]) + 1
                let replacement = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(insertion, replacement)
            }
        }
        return row[b.count]
    }
}
