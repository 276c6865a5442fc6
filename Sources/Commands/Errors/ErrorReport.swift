import API
import APIClient

/// An error as it is printed: the one place that turns errors into text and exit codes.
package struct ErrorReport: Sendable, Hashable {
    package var status: CommandStatus
    private let failure: CommandFailure

    package init(_ error: any Error) {
        failure = Self.failure(for: error)
        status = failure.status
    }

    /// Without an end of line; empty where there is nothing to say.
    package func text(_ palette: Palette) -> String {
        var lines = failure.details
        if !failure.message.isEmpty {
            lines.append(palette.red(palette.bold("error:")) + " " + Self.indented(failure.message))
        }
        lines += failure.causes.filter { !$0.isEmpty }.map { palette.bold("cause:") + " " + Self.indented($0) }
        if let hint = failure.hint { lines.append(palette.cyan("hint:") + " " + Self.indented(hint)) }
        return lines.joined(separator: "\n")
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.visible }.joined(separator: "\n  ")
    }

    private static func failure(for error: any Error) -> CommandFailure {
        switch error {
        case let error as CommandFailure: error
        case let error as APIFailure: refused(error)
        case let error as ConnectionFailure: unreachable(error)
        case let error as LocationProblem:
            CommandFailure(error.isNotSupportedYet ? .failed : .usage, error.message)
        case let error as any ReportableError: error.commandFailure
        case is CancellationError: CommandFailure(.interrupted, "interrupted")
        default:
            CommandFailure(
                .internalBug, "something unexpected happened, which is a bug of MicroStax",
                causes: [String(describing: error)])
        }
    }

    /// What a server that did not start wrote is an error's text already.
    private static func withoutLabel(_ text: String) -> String {
        text.hasPrefix("error: ") ? String(text.dropFirst("error: ".count)) : text
    }

    private static func refused(_ failure: APIFailure) -> CommandFailure {
        let error = failure.error
        let status = CommandStatus(failure)
        var causes: [String] = []
        if status == .internalBug, let id = failure.requestId { causes.append("request \(id); see the server's log") }
        return CommandFailure(
            status, error.message, causes: causes, hint: error.hint,
            details: (error.details ?? []).map { $0.written })
    }

    private static func unreachable(_ failure: ConnectionFailure) -> CommandFailure {
        switch failure.kind {
        case .notRunning:
            CommandFailure(
                CommandStatus(failure), "no server answers at \(failure.server)", causes: [failure.message],
                hint: "start it with `microstax serve --detach`, or check MICROSTAX_API_URL")
        case .timedOut:
            CommandFailure(
                CommandStatus(failure), "the server at \(failure.server) did not answer in time",
                causes: [failure.message],
                hint: "try again, or allow more time with --timeout")
        case .broken:
            CommandFailure(
                CommandStatus(failure), "the connection to the server at \(failure.server) broke",
                causes: [failure.message], hint: "try again; `microstax doctor` says whether the server runs")
        case .malformed:
            CommandFailure(
                CommandStatus(failure), "what answers at \(failure.server) does not speak this client's API",
                causes: [failure.message], hint: "compare versions with `microstax version` and `microstax doctor`")
        case .cannotStart:
            CommandFailure(
                CommandStatus(failure), "the local server could not be started in \(failure.server)",
                causes: [withoutLabel(failure.message)],
                hint: "`microstax doctor` says what is missing on this machine")
        }
    }
}

extension ErrorDetail {
    /// `file:line:column: error: message` with its hint below, or a plain line where there is no place.
    package var written: String {
        var text = ""
        if let file {
            text += file.visible
            if let line, line > 0 { text += ":\(line)" + (column.map { ":\($0)" } ?? "") }
            text += ": "
        }
        if severity != nil || file != nil { text += (severity ?? "error") + ": " }
        if text.isEmpty { text = "  - " }
        text += message.visible
        if wayOut != nil, let code { text += " [\(code.visible)]" }
        if let theirs { text += "\n  the other side: \(theirs.file.visible):\(theirs.line):\(theirs.column)" }
        if let wayOut { text += "\n  way out: " + wayOut.visible }
        if let hint { text += "\n  hint: " + hint.visible }
        return text
    }
}
