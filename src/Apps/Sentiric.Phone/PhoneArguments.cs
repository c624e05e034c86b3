using System.Globalization;
using Sentiric.Sip;
using Sentiric.Speech;

namespace Sentiric.Phone;

/// <summary>What the program was told on its command line.</summary>
internal sealed record PhoneArguments(
    SipUri To, SipTransportKind Transport, string From, string? Name, string ScriptPath, string? Voice, IReadOnlyDictionary<string, string> Values,
    bool Json, string? RecordTo, EspeakOptions Espeak, TimeSpan MaxCall)
{
    public const string Usage = """
        Sentiric.Phone: a caller who speaks a script over SIP and RTP.

          --to URI             whom to call: sip:+902120000001@127.0.0.1:5060
          --script FILE        what to do; demo-tr, barge-in-tr, silent and abandon come with the program
          --from NUMBER        who calls (+905321112233)
          --name TEXT          the caller's display name
          --transport udp|tcp  (udp)
          --voice VOICE        a voice of espeak-ng in place of the script's: tr+f2
          --set WORD=VALUE     fills {WORD} in the script; may be repeated
          --record FILE.wav    records the call, left the agent, right the caller
          --max-seconds N      hangs up after N seconds (90)
          --espeak PATH        espeak-ng, with --espeak-lib PATH and --espeak-data PATH where it is not installed
          --json               one JSON object per line, the report last

        Exit: 0 answered, everything played and ended normally; 1 not so; 2 wrong arguments or script.
        """;

    /// <summary>Throws <see cref="FormatException"/> with a sentence that says what is wrong.</summary>
    public static PhoneArguments Parse(IReadOnlyList<string> args)
    {
        var (options, values, json) = Read(args);
        string? One(string name) => options.GetValueOrDefault(name);
        string Needed(string name) => One(name) ?? throw new FormatException($"{name} is missing.");
        if (!SipUri.TryParse(Needed("--to"), out var to) || !to.IsSip) throw new FormatException($"--to {One("--to")} is no SIP address such as sip:1001@127.0.0.1:5060.");
        return new(
            to, TransportOf(One("--transport") ?? "udp"), One("--from") ?? "+905321112233", One("--name"), ScriptFile(Needed("--script")), One("--voice"), values,
            json, One("--record"),
            new EspeakOptions { Program = One("--espeak") ?? "espeak-ng", LibraryPath = One("--espeak-lib"), DataPath = One("--espeak-data") },
            Seconds(One("--max-seconds") ?? "90"));
    }

    private static readonly string[] WithValue =
        ["--to", "--transport", "--from", "--name", "--script", "--voice", "--record", "--espeak", "--espeak-lib", "--espeak-data", "--max-seconds"];

    private static (Dictionary<string, string> Options, Dictionary<string, string> Values, bool Json) Read(IReadOnlyList<string> args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var json = false;
        for (var at = 0; at < args.Count; at++)
        {
            if (args[at] == "--json")
            {
                json = true;
                continue;
            }

            if (args[at] != "--set" && !WithValue.Contains(args[at])) throw new FormatException($"There is no option {args[at]}.");
            if (at + 1 == args.Count) throw new FormatException($"{args[at]} takes a value.");
            var (name, value) = (args[at], args[++at]);
            if (name != "--set") options[name] = value;
            else if (value.IndexOf('=', StringComparison.Ordinal) is > 0 and var mark) values[value[..mark]] = value[(mark + 1)..];
            else throw new FormatException("--set takes WORD=VALUE.");
        }

        return (options, values, json);
    }

    private static SipTransportKind TransportOf(string text) => text switch
    {
        "udp" => SipTransportKind.Udp,
        "tcp" => SipTransportKind.Tcp,
        _ => throw new FormatException("--transport is udp or tcp."),
    };

    private static TimeSpan Seconds(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 1 and <= 3_600
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException("--max-seconds is within 1 and 3600.");

    private static string ScriptFile(string name)
    {
        var own = Path.Combine(AppContext.BaseDirectory, "scripts", Path.GetFileNameWithoutExtension(name) + ".json");
        return File.Exists(name) ? name : File.Exists(own) ? own : throw new FormatException($"There is no script {name}.");
    }
}
