import API

/// What starts and why, as text.
package struct PredictionTables {
    private let palette: Palette
    private let now: Int64

    package init(palette: Palette, now: Int64 = Timestamp.now) {
        self.palette = palette
        self.now = now
    }

    package func plan(_ plan: PlanView, isDry: Bool, withSteps: Bool) -> String {
        var text = heading(plan) + "\n\n" + services(plan.services)
        if withSteps {
            text += PlanTables.steps(plan.steps)
        } else {
            let count = plan.steps.count == 1 ? "1 step" : "\(plan.steps.count) steps"
            text +=
                "\n\(count); --steps shows \(plan.steps.count == 1 ? "it" : "them")"
                + (isDry ? "; nothing was done" : "") + "\n"
        }
        return text
    }

    private func heading(_ plan: PlanView) -> String {
        let own = plan.services.filter { $0.verdict != "inherited" }
        let cold = own.count { $0.verdict == "cold" }
        var text = "\(plan.environment)  \(plan.mode)"
        if !plan.focus.isEmpty { text += "  in focus: " + plan.focus.joined(separator: ", ") }
        text += "\n"
        if own.isEmpty { return text + "it runs nothing of its own" }
        let all = own.count == 1 ? "its service" : "all \(own.count) services of its own"
        text +=
            cold == 0
            ? "\(all) start\(own.count == 1 ? "s" : "")"
            : "\(own.count - cold) of \(own.count) services start, \(cold) when needed"
        let inherited = plan.services.count - own.count
        return inherited == 0 ? text : text + "; \(inherited) \(inherited == 1 ? "is" : "are") inherited"
    }

    private func services(_ services: [PlannedServiceView]) -> String {
        let table = Table(["SERVICE", "PLAN", "WHY"], services.map { [$0.service, $0.verdict, why($0)] }).rendered()
        guard palette.isColoured else { return table }
        // Colour is put on afterwards: it has no width.
        var lines = table.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for (index, service) in services.enumerated() { lines[index + 1] = coloured(lines[index + 1], service.verdict) }
        return lines.joined(separator: "\n")
    }

    private func coloured(_ line: String, _ verdict: String) -> String {
        switch verdict {
        case "local": palette.green(line)
        case "cold": palette.cyan(line)
        case "inherited": palette.dim(line)
        default: line
        }
    }

    private func why(_ service: PlannedServiceView) -> String {
        guard let traffic = service.traffic else { return service.reason }
        return service.reason + "; " + words(traffic, of: service.service)
    }

    /// `17 % of 3,204 requests through web reached it, last 2 h ago`.
    private func words(_ traffic: TrafficView, of service: String) -> String {
        let requests = "\(Self.grouped(traffic.requests)) \(traffic.requests == 1 ? "request" : "requests")"
        let last = "last \(Timestamp.age(traffic.lastAt, now: now)) ago"
        if traffic.entry == service { return "\(requests) from outside, \(last)" }
        let perRequest = traffic.requests == 0 ? 0 : traffic.calls / Double(traffic.requests)
        if perRequest > 1.05 {
            return "\(Self.tenths(perRequest)) calls for each of \(requests) through \(traffic.entry), \(last)"
        }
        let share = traffic.sharePercent
        let percent = share > 0 && share < 1 ? "under 1" : String(Int(share.rounded()))
        return "\(percent) % of \(requests) through \(traffic.entry) reached it, \(last)"
    }

    // MARK: Review

    package func review(_ plan: PlanView) -> String {
        guard let review = plan.review else { return "" }
        var text = "\(plan.environment)  \(plan.mode)\n"
        guard !(review.predictedAndCalled + review.calledNotPredicted).isEmpty else {
            return text + "nothing of it was called yet; send requests through its address, then look again\n"
        }
        text +=
            "\(Self.grouped(review.requests)) \(review.requests == 1 ? "request" : "requests") from outside in the last 14 days\n"
        text += part("predicted and called", review.predictedAndCalled, palette.green)
        text += part("predicted, never called", review.predictedNeverCalled, palette.yellow)
        text += part("called, not predicted", review.calledNotPredicted, palette.red)
        return text
    }

    private func part(_ title: String, _ services: [ReviewView.Service], _ colour: (String) -> String) -> String {
        let head = "\n" + colour(title) + ": \(services.isEmpty ? "none" : String(services.count))\n"
        guard !services.isEmpty else { return head }
        return head
            + Table(
                ["SERVICE", "CALLS", "LAST", "WHY"],
                services.map { service in
                    [
                        service.service, Self.grouped(service.calls),
                        service.lastAt.map { Timestamp.age($0, now: now) + " ago" } ?? "", service.reason,
                    ]
                }
            ).rendered()
    }

    static func grouped(_ number: UInt64) -> String {
        var digits = Array(String(number))
        var place = digits.count - 3
        while place > 0 {
            digits.insert(",", at: place)
            place -= 3
        }
        return String(digits)
    }

    private static func tenths(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
