import API
import ArgumentParser

/// `-o` of `env graph`.
package enum GraphFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case text, json, yaml, dot, mermaid

    package init?(argument: String) {
        // What the other commands call it.
        self.init(rawValue: argument == "table" ? "text" : argument)
    }
}

/// A graph of services as a tree, in Graphviz' language, or in Mermaid's.
package struct GraphText {
    private let palette: Palette
    private let now: Int64

    package init(palette: Palette, now: Int64 = Timestamp.now) {
        self.palette = palette
        self.now = now
    }

    /// `nil` for the formats that every value has.
    package func written(_ graph: GraphView, _ format: GraphFormat) -> String? {
        switch format {
        case .text: tree(graph)
        case .dot: dot(graph)
        case .mermaid: mermaid(graph)
        case .json, .yaml: nil
        }
    }

    // MARK: A tree

    private func tree(_ graph: GraphView) -> String {
        let services = Dictionary(graph.services.map { ($0.name, $0) }) { $1 }
        let onward = Dictionary(grouping: graph.edges.filter { $0.from != nil }, by: { $0.from ?? "" })
        var shown: Set<String> = []
        var text = "\(graph.environment)  \(graph.mode)\n"
        func branch(_ edge: GraphView.Edge, _ indent: String, isLast: Bool) {
            let isRepeated = !shown.insert(edge.to).inserted && !(onward[edge.to] ?? []).isEmpty
            text += indent + (isLast ? "└── " : "├── ") + node(services[edge.to], edge.to) + note(edge)
            text += isRepeated ? palette.dim("  (as above)") + "\n" : "\n"
            guard !isRepeated else { return }
            let next = onward[edge.to] ?? []
            for (index, edge) in next.enumerated() {
                branch(edge, indent + (isLast ? "    " : "│   "), isLast: index == next.count - 1)
            }
        }
        func part(_ title: String, _ names: [String], _ edge: (String) -> GraphView.Edge) {
            guard !names.isEmpty else { return }
            text += title + "\n"
            for (index, name) in names.enumerated() { branch(edge(name), "", isLast: index == names.count - 1) }
        }
        let outside = Dictionary(graph.edges.filter { $0.from == nil }.map { ($0.to, $0) }) { $1 }
        part("from outside", graph.services.filter(\.entry).map(\.name)) { name in
            outside[name] ?? GraphView.Edge(from: nil, to: name, origins: [])
        }
        let reached = Set(graph.edges.map(\.to))
        let alone = graph.services.filter { !$0.entry && !reached.contains($0.name) }.map(\.name)
        part("by themselves", alone) { GraphView.Edge(from: nil, to: $0, origins: []) }
        // In a circle that nothing leads to.
        while let rest = graph.services.first(where: { !shown.contains($0.name) }) {
            part("in a circle", [rest.name]) { GraphView.Edge(from: nil, to: $0, origins: []) }
        }
        return text
    }

    private func node(_ service: GraphView.Service?, _ name: String) -> String {
        guard let service else { return name.visible }
        let who =
            service.verdict == "inherited" ? "inherited from \(service.provider.environment.visible)" : service.verdict
        let label = "\(name.visible)  \(who)"
        switch service.verdict {
        case "local": return palette.green(label)
        case "cold": return palette.cyan(label)
        case "inherited": return palette.dim(label)
        default: return label
        }
    }

    private func note(_ edge: GraphView.Edge) -> String {
        let words = edge.origins.filter { $0 != "observed" } + (calls(edge).map { [$0] } ?? [])
        return words.isEmpty ? "" : "  " + words.joined(separator: ", ")
    }

    private func calls(_ edge: GraphView.Edge) -> String? {
        edge.calls.map { count in
            let noun = edge.from == nil ? (count == 1 ? "request" : "requests") : (count == 1 ? "call" : "calls")
            let last = edge.lastAt.map { ", last \(Timestamp.age($0, now: now)) ago" } ?? ""
            return "\(PredictionTables.grouped(count)) \(noun)\(last)"
        }
    }

    // MARK: Languages of graphs

    /// Graphviz' DOT. Names of services are DNS labels, so nothing has to be escaped but what stands in quotes.
    private func dot(_ graph: GraphView) -> String {
        var text = "digraph \"\(graph.environment.visible)\" {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n"
        if graph.services.contains(where: \.entry) { text += "  outside [shape=plaintext];\n" }
        for service in graph.services {
            let style =
                switch service.verdict {
                case "cold": ", style=\"rounded,dashed\""
                case "inherited": ", color=gray, fontcolor=gray"
                case "local": ", penwidth=2"
                default: ""
                }
            text += "  \"\(service.name)\" [label=\"\(service.name)\\n\(service.verdict)\"\(style)];\n"
        }
        for edge in drawn(graph) {
            let from = edge.from.map { "\"\($0)\"" } ?? "outside"
            let style = edge.origins == ["observed"] ? ", style=dashed" : ""
            text += "  \(from) -> \"\(edge.to)\" [label=\"\(label(edge))\"\(style)];\n"
        }
        return text + "}\n"
    }

    private func mermaid(_ graph: GraphView) -> String {
        var text = "flowchart LR\n"
        var numbers: [String: Int] = [:]
        if graph.services.contains(where: \.entry) { text += "  outside((outside))\n" }
        for (number, service) in graph.services.enumerated() {
            numbers[service.name] = number
            text += "  s\(number)[\"\(service.name)<br/>\(service.verdict)\"]\n"
        }
        for edge in drawn(graph) {
            guard let to = numbers[edge.to] else { continue }
            let from = edge.from.flatMap { numbers[$0] }.map { "s\($0)" } ?? "outside"
            let arrow = edge.origins == ["observed"] ? "-.->" : "-->"
            let label = label(edge)
            text += "  \(from) \(arrow)\(label.isEmpty ? "" : "|\"\(label)\"|") s\(to)\n"
        }
        for verdict in ["cold", "inherited", "local"] {
            let members = graph.services.filter { $0.verdict == verdict }.compactMap { numbers[$0.name] }
            guard !members.isEmpty else { continue }
            let style = [
                "cold": "stroke-dasharray: 4", "inherited": "color:#888,stroke:#bbb", "local": "stroke-width:3px",
            ]
            text += "  classDef \(verdict) \(style[verdict] ?? "")\n"
            text += "  class \(members.map { "s\($0)" }.joined(separator: ",")) \(verdict)\n"
        }
        return text
    }

    /// With an edge from outside for every entry point.
    private func drawn(_ graph: GraphView) -> [GraphView.Edge] {
        let called = Set(graph.edges.filter { $0.from == nil }.map(\.to))
        let others = graph.services.filter { $0.entry && !called.contains($0.name) }
        return others.map { GraphView.Edge(from: nil, to: $0.name, origins: ["declared"]) } + graph.edges
    }

    private func label(_ edge: GraphView.Edge) -> String {
        if edge.from == nil { return edge.calls.map { PredictionTables.grouped($0) } ?? "" }
        let written = edge.origins.filter { $0 != "observed" }
        return (written + (edge.calls.map { [PredictionTables.grouped($0) + ($0 == 1 ? " call" : " calls")] } ?? []))
            .joined(separator: ", ")
    }
}
