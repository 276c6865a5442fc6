import API

/// What a person sees of an execution while it goes on: a value fed with events and asked for lines.
///
/// Steps are grouped by the service in their key (`service/payments/start`). Groups that are done or not yet begun take
/// one line; what runs or failed shows its steps. No line is wider than the width, no picture higher than the height.
package struct ProgressTree: Sendable, Hashable {
    private static let spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    /// Steps with the same service; a step of the whole environment is a group by itself.
    struct Group: Sendable, Hashable {
        var name: String
        var isService: Bool
        var steps: [StepView]

        var isBusy: Bool {
            steps.contains { ["running", "failed", "outcomeUnknown", "undoing"].contains($0.state) } || isHalfDone
        }
        var isDone: Bool { steps.allSatisfy { ["succeeded", "skipped", "undone"].contains($0.state) } }
        private var isHalfDone: Bool { !isDone && steps.contains { $0.state == "succeeded" } }
    }

    private var environment = ""
    private var state = ""
    private var groups: [Group] = []
    private var startedAt: Int64?
    private var finishedAt: Int64?
    package private(set) var isFinal = false

    package init() {}

    package mutating func apply(_ event: EventView) {
        environment = event.environment.name
        state = event.environment.state
        guard let execution = event.execution else { return }
        isFinal = execution.isFinal
        groups = []
        for step in execution.steps { add(step) }
        startedAt = execution.steps.compactMap { $0.startedAt.flatMap(Timestamp.milliseconds) }.min()
        finishedAt = isFinal ? execution.steps.compactMap { $0.finishedAt.flatMap(Timestamp.milliseconds) }.max() : nil
    }

    private mutating func add(_ step: StepView) {
        let parts = step.key.split(separator: "/")
        if parts.count >= 3, parts[0] == "service" {
            let name = String(parts[1])
            if let index = groups.firstIndex(where: { $0.isService && $0.name == name }) {
                groups[index].steps.append(step)
            } else {
                groups.append(Group(name: name, isService: true, steps: [step]))
            }
        } else {
            groups.append(Group(name: step.title, isService: false, steps: [step]))
        }
    }

    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - frame: counts up to turn the spinner.
    package func lines(
        now: Int64, frame: Int, width: Int, height: Int, palette: Palette = .plain
    ) -> [String] {
        guard !environment.isEmpty else { return [] }
        let pen = Pen(now: now, spinner: Self.spinner[frame % Self.spinner.count], width: width, palette: palette)
        let heading = pen.heading(environment, state, elapsed: elapsed(from: startedAt, to: finishedAt, now: now))
        let blocks = groups.map { group in
            (group: group, lines: isFinal || group.isBusy ? pen.open(group) : [pen.closed(group)])
        }
        let all = blocks.flatMap(\.lines)
        let room = max(1, height - 1)
        if isFinal || all.count < room { return [heading] + all }
        return [heading] + pen.fitted(blocks.map { ($0.group, $0.lines) }, room: room - 1)
    }

    private func elapsed(from start: Int64?, to end: Int64?, now: Int64) -> Int64 {
        start.map { (end ?? now) - $0 } ?? 0
    }
}

/// Draws the lines of one picture.
private struct Pen {
    let now: Int64
    let spinner: String
    let width: Int
    let palette: Palette

    func heading(_ name: String, _ state: String, elapsed: Int64) -> String {
        let text = DisplayWidth.truncated("\(name.visible)  \(state)  \(Timestamp.elapsed(elapsed))", to: width)
        return palette.bold(text)
    }

    func closed(_ group: ProgressTree.Group) -> String {
        line("", group.isDone ? "succeeded" : "pending", group.name, time: group.isDone ? total(group) : nil, note: nil)
    }

    func open(_ group: ProgressTree.Group) -> [String] {
        guard group.isService else { return group.steps.map { step("", $0, name: group.name) } }
        let state = group.steps.first { ["failed", "outcomeUnknown"].contains($0.state) }?.state
        let own = line(
            "", state ?? (group.isDone ? "succeeded" : "running"), group.name, time: nil, note: nil)
        return [own] + group.steps.map { step("  ", $0, name: shortName($0.key)) }
    }

    /// The busy groups first, then one line that counts what has no room.
    func fitted(_ blocks: [(group: ProgressTree.Group, lines: [String])], room: Int) -> [String] {
        var shown: [String] = []
        var hidden = 0
        for block in blocks where block.group.isBusy {
            if shown.count + block.lines.count <= room { shown += block.lines } else { hidden += 1 }
        }
        let done = blocks.count { $0.group.isDone && !$0.group.isBusy }
        let waiting = blocks.count - done - blocks.count { $0.group.isBusy }
        var rest = ["\(done) done", "\(waiting) waiting"]
        if hidden > 0 { rest.insert("\(hidden) more at work", at: 0) }
        return shown + [palette.dim(DisplayWidth.truncated("  … " + rest.joined(separator: ", "), to: width))]
    }

    private func step(_ indent: String, _ step: StepView, name: String) -> String {
        var time: Int64?
        if let start = step.startedAt.flatMap(Timestamp.milliseconds) {
            time = (step.finishedAt.flatMap(Timestamp.milliseconds) ?? now) - start
        }
        let note = step.state == "running" ? step.message : step.error
        let attempt = step.attempt > 1 ? "attempt \(step.attempt)" : nil
        return line(
            indent, step.state, name, time: step.state == "pending" ? nil : time,
            note: [attempt, note?.firstLine].compactMap { $0 }.joined(separator: ": "))
    }

    private func line(_ indent: String, _ state: String, _ name: String, time: Int64?, note: String?) -> String {
        var text = indent + "  " + name.visible
        if let time { text += "  " + Timestamp.elapsed(time) }
        if let note, !note.isEmpty { text += "  " + note.visible }
        let cut = String(DisplayWidth.truncated(text, to: width - 1).dropFirst(indent.count))
        return indent + mark(state) + (state == "pending" ? palette.dim(cut.dropFirstSpace) : cut.dropFirstSpace)
    }

    private func mark(_ state: String) -> String {
        switch state {
        case "succeeded": palette.green("✓")
        case "failed": palette.red("✗")
        case "skipped": palette.dim("-")
        case "outcomeUnknown": palette.yellow("?")
        case "running": palette.cyan(spinner)
        default: palette.dim("·")
        }
    }

    private func shortName(_ key: String) -> String { key.split(separator: "/").dropFirst(2).joined(separator: "/") }

    private func total(_ group: ProgressTree.Group) -> Int64? {
        let starts = group.steps.compactMap { $0.startedAt.flatMap(Timestamp.milliseconds) }
        let ends = group.steps.compactMap { $0.finishedAt.flatMap(Timestamp.milliseconds) }
        guard let start = starts.min(), let end = ends.max() else { return nil }
        return end - start
    }
}

extension String {
    fileprivate var dropFirstSpace: String { hasPrefix(" ") ? String(dropFirst()) : self }

    /// What stands before the first end of line.
    var firstLine: String { String(split(separator: "\n", maxSplits: 1).first ?? "") }
}
