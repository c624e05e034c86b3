using System.Text;
using System.Text.Json;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Messages;

/// <summary>All messages of RFC 4475, each answered as rfc4475/index.json states.</summary>
public sealed class TortureTests
{
    private const int Silence = 0;
    private static readonly string Folder = Repository.PathOf("tests", "Sentiric.Sip.Tests", "rfc4475");

    /// <summary>
    /// What this user agent server answers over UDP. 405 to MESSAGE, 481 to an in-dialog INVITE of an unknown dialog and 501 to
    /// unknown methods are acceptance of the syntax.
    /// </summary>
    private static readonly Dictionary<string, int> Treatment = new(StringComparer.Ordinal)
    {
        ["wsinv"] = 481, ["intmeth"] = 501, ["esc01"] = 200, ["escnull"] = 200, ["esc02"] = 501, ["lwsdisp"] = 200, ["longreq"] = 200,
        ["dblreq"] = 200, ["semiuri"] = 200, ["transports"] = 200, ["mpart01"] = 405, ["unreason"] = Silence, ["noreason"] = Silence,
        ["badinv01"] = 400, ["clerr"] = 400, ["ncl"] = 400, ["scalar02"] = 400, ["scalarlg"] = Silence, ["quotbal"] = 400, ["ltgtruri"] = 400,
        ["lwsruri"] = 400, ["lwsstart"] = 400, ["trws"] = 400, ["escruri"] = 400, ["baddate"] = 200, ["regbadct"] = 400, ["badaspec"] = 400,
        ["baddn"] = 400, ["badvers"] = 505, ["mismatch01"] = 400, ["mismatch02"] = 501, ["bigcode"] = Silence, ["badbranch"] = 200, ["insuf"] = 400,
        ["unkscm"] = 416, ["novelsc"] = 416, ["unksm2"] = 400, ["bext01"] = 420, ["invut"] = 415, ["regaut01"] = 401, ["multi01"] = 400,
        ["mcl01"] = 400, ["bcast"] = Silence, ["zeromf"] = 200, ["cparam01"] = 200, ["cparam02"] = 200, ["regescrt"] = 200, ["sdp01"] = 406,
        ["inv2543"] = 200, ["baddn_eoh"] = 400,
    };

    public static TheoryData<string> Files() => new(Treatment.Keys);

    [Fact]
    public void Every_message_of_the_index_has_a_treatment()
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "index.json")));
        IEnumerable<string> cases = index.RootElement.EnumerateArray()
            .Select(entry => entry.GetProperty("file").GetString() ?? "").Where(file => file != "test.dat").Select(file => file[..^4]);
        Assert.Equal(49, cases.Count());
        Assert.Empty(cases.Except(Treatment.Keys));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Each_message_gets_its_response_over_udp(string file)
    {
        // unksm2 and regaut01 are about the registrar itself; the others want a registrar that lets the phone in.
        bool strict = file is "unksm2" or "regaut01";
        var time = new ManualTime();
        ISipRegistrar registrar = strict
            ? new Registrar(new DigestServer("example.com", new MemoryCredentialStore(), time), new MemoryLocationStore(), time)
            : new OpenRegistrar();
        await using Stage stage = await Stage.OpenAsync(options => options with { Registrar = registrar }, time);
        stage.Application.Answering = invite => invite.AnswerAsync(ScriptedPhone.Sdp);
        stage.Phone.Say(Read(file));
        if (Treatment[file] == Silence)
        {
            await Stage.SettleAsync();
            Assert.False(stage.Phone.HasHeardAnything);
            return;
        }

        Assert.Equal(Treatment[file], await stage.Phone.HearFinalStatusAsync());
        Assert.False(stage.Phone.HasHeardAnything);
        Assert.Equal(stage.Application.Calls, file is "esc01" or "longreq" or "baddate" or "inv2543" ? 1 : 0);
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_stream_is_cut_alike_however_it_is_split(string file)
    {
        byte[] bytes = Read(file);
        List<(SipFrameKind, string)> whole = Frames([bytes]);
        Assert.Equal(whole, Frames(bytes.Select(one => new[] { one })));
        for (int split = 1; split < bytes.Length; split++)
        {
            Assert.Equal(whole, Frames([bytes[..split], bytes[split..]]));
        }
    }

    [Fact]
    public void Over_tcp_bad_content_lengths_break_the_stream_and_a_short_body_waits()
    {
        Assert.Equal(SipFrameKind.Broken, Frames([Read("ncl")])[0].Kind);
        Assert.Equal(SipFrameKind.Broken, Frames([Read("mcl01")])[0].Kind);
        Assert.Empty(Frames([Read("clerr")]));
        Assert.Equal(2, Frames([Read("dblreq")]).Count(frame => frame.Kind == SipFrameKind.Message));
    }

    [Fact]
    public void Details_that_the_torture_messages_are_about_are_read_right()
    {
        SipRequest wsinv = Request("wsinv");
        Assert.Equal(3, wsinv.Vias.Count);
        Assert.Equal(new CSeq(9, "INVITE"), wsinv.CSeq);
        Assert.Equal(68u, wsinv.Number("Max-Forwards"));
        Assert.Equal("J Rosenberg \\\"", wsinv.From.Display);
        Assert.Equal("98asjd8", wsinv.From.Tag);
        Assert.Equal("", wsinv.Header("s"));
        Assert.Equal(";;,,;;,;", wsinv.Header("UnknownHeaderWithUnusualValue"));
        Assert.Equal("0.33", wsinv.Contacts[0].Parameter("q"));

        Assert.Equal("sips:user@example.com", Request("esc01").Uri.UserText);
        Assert.Equal("sip", Request("esc01").Uri.Scheme);
        Assert.Equal(["null", "null"], Request("escnull").From.Uri.UserText.Split("-\0-"));
        Assert.Equal(["%00", "%00%00"], Request("escnull").Contacts.Select(contact => contact.Uri.User));
        Assert.Equal("user;par=u@example.net", Request("semiuri").Uri.UserText);
        Assert.Equal(["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"], Request("transports").Vias.Select(via => via.Transport));
        Assert.Equal(34, Request("longreq").Vias.Count);
        Assert.Contains(Request("cparam01").Contacts[0].Parameters, one => one.Name == "unknownparam");
        Assert.True(Request("cparam02").Contacts[0].Uri.HasParameter("unknownparam"));
        Assert.Equal("Route=%3Csip:sip.example.com%3E", Request("regescrt").Contacts[0].Uri.Headers);
        Assert.Equal(0u, Request("zeromf").Number("Max-Forwards"));
        Assert.Equal("", Response("noreason").Reason);
        Assert.Equal(100, Response("noreason").StatusCode);
        Assert.Equal(200, Response("unreason").StatusCode);
        Assert.Contains('я', Response("unreason").Reason);
    }

    [Fact]
    public void A_binary_body_is_kept_byte_for_byte()
    {
        byte[] bytes = Read("mpart01");
        int body = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        Assert.Equal(bytes[body..], Request("mpart01").Body.ToArray());
    }

    [Fact]
    public async Task Unknown_options_are_all_listed_and_a_wrong_body_names_what_is_read()
    {
        await using Stage stage = await Stage.OpenAsync();
        stage.Phone.Say(Read("bext01"));
        SipResponse bad = await stage.Phone.HearResponseAsync(420, "OPTIONS");
        Assert.Equal(["nothingSupportsThis", "nothingSupportsThisEither"], bad.Tokens("Unsupported"));
        stage.Phone.Say(Read("invut"));
        Assert.Equal("application/sdp", (await stage.Phone.HearResponseAsync(415)).Header("Accept"));
    }

    private static byte[] Read(string file) => File.ReadAllBytes(Path.Combine(Folder, file + ".dat"));

    private static SipRequest Request(string file) => Assert.IsType<SipRequest>(SipParser.ParseDatagram(Read(file)).Message);

    private static SipResponse Response(string file) => Assert.IsType<SipResponse>(SipParser.ParseDatagram(Read(file)).Message);

    private static List<(SipFrameKind Kind, string Text)> Frames(IEnumerable<byte[]> chunks)
    {
        var framer = new SipStreamFramer();
        var frames = new List<(SipFrameKind, string)>();
        foreach (byte[] chunk in chunks)
        {
            framer.Append(chunk);
            for (SipFrame frame = framer.Next(); frame.Kind != SipFrameKind.Incomplete; frame = framer.Next())
            {
                // A broken stream is closed there, so what came later does not count.
                frames.Add((frame.Kind, frame.Kind == SipFrameKind.Broken ? "" : Encoding.Latin1.GetString(frame.Bytes)));
                if (frame.Kind == SipFrameKind.Broken)
                {
                    return frames;
                }
            }
        }

        return frames;
    }

    private sealed class OpenRegistrar : ISipRegistrar
    {
        public Task<SipAnswer> RegisterAsync(SipRequest request, System.Net.IPEndPoint source, CancellationToken ct) =>
            Task.FromResult(new SipAnswer(200, null, request.Contacts.Select(one => new KeyValuePair<string, string>("Contact", one.ToString())).ToList()));
    }
}
