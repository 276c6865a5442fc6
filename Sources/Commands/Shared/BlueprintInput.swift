import API
import Blueprints
import FoundationEssentials

/// A Blueprint as it came from a file or stdin, checked on this machine, with everything that it names read in.
struct BlueprintInput {
    /// As typed; `stdin` for `-`.
    let name: String
    /// Absolute; what relative paths in it mean.
    let folder: String
    /// Every problem that can be seen without a server, by position.
    private(set) var diagnostics: [Diagnostic]

    private let bytes: [UInt8]
    private var inputs = ReadInputs()
    private let written: BlueprintDocument?
    private var composed: BlueprintDocument?

    /// - Parameters:
    ///   - path: `-` reads stdin, and this folder is the Blueprint's.
    ///   - mode: of the environment that shall be made; `nil` to go by the Blueprint. An overlay's Blueprint is checked as
    ///     the part that it is.
    init(path: String, mode: EnvironmentMode?) throws {
        let here = FileManager.default.currentDirectoryPath
        if path == "-" {
            name = "stdin"
            folder = here
        } else {
            name = path
            let absolute = path.hasPrefix("/") ? path : here + "/" + path
            let parent = URL(filePath: absolute).standardized.deletingLastPathComponent().path
            folder = parent.count > 1 && parent.hasSuffix("/") ? String(parent.dropLast()) : parent
        }
        do {
            bytes = try path == "-" ? InputFile.readStandardInput() : InputFile.read(path)
        } catch {
            throw CommandFailure(.invalidInput, "cannot read \(name.visible): \(error.message)")
        }
        (written, diagnostics) = Blueprint.read(bytes, file: name, folder: folder)
        guard let written, !hasErrors else { return }
        let checked = Blueprint.check(written, over: nil, mode: mode)
        diagnostics += checked.diagnostics
        composed = checked.composed
        if let spec = checked.spec {
            inputs = ReadInputs(of: spec, in: written, environment: Terminal.environment)
            diagnostics += inputs.diagnostics
        }
        diagnostics.sort()
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    /// `routing.baselineId`.
    var baseline: String? { written?.value["routing"]?["baselineId"]?.text }

    /// Ends the command with every problem where there is an error.
    func requireValid(_ consequence: String) throws {
        guard hasErrors else { return }
        let count = diagnostics.count { $0.severity == .error }
        throw CommandFailure(
            .invalidInput, "\(name) has \(count == 1 ? "a problem" : "\(count) problems")\(consequence)",
            details: diagnostics.map { $0.rendered })
    }

    /// What it comes to, as YAML; `nil` where it cannot be read.
    func rendered(showsProvenance: Bool) -> String? {
        composed?.rendered(in: folder, showsProvenance: showsProvenance)
    }

    func request(mode: String?, parent: String?) -> CreateRequest {
        CreateRequest(
            blueprint: String(decoding: bytes, as: UTF8.self), file: name, folder: folder, files: inputs.files,
            secrets: inputs.secrets, mode: mode, parent: parent)
    }
}

extension Diagnostic {
    /// In the API's form.
    var detail: ErrorDetail {
        ErrorDetail(
            message: message, code: code, severity: severity.rawValue, file: file, line: line, column: column,
            hint: hint)
    }
}
