using System.Net;
using System.Threading.Channels;
using Sentiric.Sip.Tests.Dialogs;
using Sentiric.Sip.Tests.Kit;

namespace Sentiric.Sip.Tests.Trunks;

/// <summary>Registration at a carrier on virtual time, with a scripted registrar.</summary>
public sealed class RegistrationClientTests
{
    private readonly Channel<RegistrationStatus> changes = Channel.CreateUnbounded<RegistrationStatus>();

    [Fact]
    public async Task An_address_is_registered_refreshed_in_time_and_given_back()
    {
        await using Stage stage = await Stage.OpenAsync();
        RegistrationClient client = Start(stage);
        SipRequest first = await stage.Phone.HearRequestAsync("REGISTER");
        Assert.Equal(("sip:100@carrier.example", "sip:100@carrier.example", "3600"), (first.To.Uri.ToString(), first.From.Uri.ToString(), first.Header("Expires")));
        Assert.Equal("100", first.Contacts[0].Uri.User);
        stage.Phone.Say(Granted(first, 600));
        RegistrationStatus status = await NextAsync(RegistrationState.Registered);
        Assert.Equal(stage.Time.GetUtcNow() + TimeSpan.FromSeconds(600), status.ExpiresAt);
        Assert.InRange(status.NextAt!.Value - stage.Time.GetUtcNow(), TimeSpan.FromSeconds(450), TimeSpan.FromSeconds(540));

        stage.Time.Advance(TimeSpan.FromSeconds(449));
        Assert.Single(stage.Phone.Requests("REGISTER"));
        // Not further: the wait for an answer may begin while time still moves.
        stage.Time.Advance(status.NextAt.Value - stage.Time.GetUtcNow());
        SipRequest second = await stage.Phone.HearRequestAsync("REGISTER");
        // 10.2: one Call-ID, rising CSeq.
        Assert.Equal((first.CallId, first.CSeq.Number + 1), (second.CallId, second.CSeq.Number));
        stage.Phone.Say(Granted(second, 600));
        await NextAsync(RegistrationState.Registered);

        await LeaveAsync(stage.Phone, client);
    }

    [Theory]
    [InlineData("MD5")]
    [InlineData("SHA-256")]
    public async Task A_challenge_is_answered_with_its_algorithm(string algorithm)
    {
        await using Stage stage = await Stage.OpenAsync();
        await using RegistrationClient client = Start(stage);
        SipRequest first = await stage.Phone.HearRequestAsync("REGISTER");
        stage.Phone.Say(IncomingCallTests.Response(first, 401, "r", $"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\", algorithm={algorithm}, qop=\"auth\"\r\n"));
        SipRequest second = await stage.Phone.HearRequestAsync("REGISTER");
        DigestParameters given = DigestParameters.Parse(second.Header("Authorization")!)!;
        DigestAlgorithm used = algorithm == "MD5" ? DigestAlgorithm.Md5 : DigestAlgorithm.Sha256;
        Assert.Equal(used, given.Algorithm);
        string secret = DigestMath.Secret(used, "100", "carrier", "gizli");
        Assert.Equal(DigestMath.Response(used, secret, "REGISTER", second.Uri.ToString(), "n", "auth", given["nc"], given["cnonce"]), given["response"]);
        stage.Phone.Say(Granted(second, 600));
        await NextAsync(RegistrationState.Registered);
        await LeaveAsync(stage.Phone, client);
    }

    [Fact]
    public async Task RFC3261_10_2_8_A_longer_time_is_asked_for_when_the_registrar_names_it()
    {
        await using Stage stage = await Stage.OpenAsync();
        await using RegistrationClient client = Start(stage, TimeSpan.FromSeconds(60));
        SipRequest first = await stage.Phone.HearRequestAsync("REGISTER");
        stage.Phone.Say(IncomingCallTests.Response(first, 423, "r", "Min-Expires: 1800\r\n"));
        SipRequest second = await stage.Phone.HearRequestAsync("REGISTER");
        Assert.Equal("1800", second.Header("Expires"));
        // A registrar that asks again does not know what it wants: it is left for a while.
        stage.Phone.Say(IncomingCallTests.Response(second, 423, "r", "Min-Expires: 3600\r\n"));
        Assert.Equal(423, (await NextAsync(RegistrationState.Failing)).StatusCode);
    }

    [Theory]
    [InlineData(403, RegistrationState.Refused)]
    [InlineData(503, RegistrationState.Failing)]
    [InlineData(500, RegistrationState.Failing)]
    public async Task After_a_failure_it_waits_longer_each_time_with_jitter(int statusCode, RegistrationState state)
    {
        await using Stage stage = await Stage.OpenAsync();
        await using RegistrationClient client = Start(stage);
        for (int failure = 0; failure < 8; failure++)
        {
            stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("REGISTER"), statusCode, "r"));
            RegistrationStatus status = await NextAsync(state);
            Assert.Equal((failure + 1, statusCode), (status.Failures, status.StatusCode));
            double upper = Math.Min(1_800, 30 * Math.Pow(2, failure));
            TimeSpan wait = status.NextAt!.Value - stage.Time.GetUtcNow();
            Assert.InRange(wait.TotalSeconds, upper / 2, upper);
            stage.Time.Advance(wait);
        }
    }

    [Fact]
    public async Task The_next_registrar_is_asked_before_any_waiting()
    {
        await using Stage stage = await Stage.OpenAsync();
        var other = new ScriptedPhone(stage.Network, stage.Server, "127.0.0.8");
        await using RegistrationClient client = Start(stage, null, "sip:127.0.0.9", "sip:127.0.0.8");
        stage.Phone.Say(IncomingCallTests.Response(await stage.Phone.HearRequestAsync("REGISTER"), 503, "r"));
        other.Say(Granted(await other.HearRequestAsync("REGISTER"), 600));
        RegistrationStatus status = await NextAsync(RegistrationState.Registered);
        // The refresh goes where it is registered.
        stage.Time.Advance(status.NextAt!.Value - stage.Time.GetUtcNow());
        SipRequest refresh = await other.HearRequestAsync("REGISTER");
        other.Say(Granted(refresh, 600));
        await NextAsync(RegistrationState.Registered);
        await LeaveAsync(other, client);
    }

    [Fact]
    public async Task Silence_is_a_failure_too()
    {
        await using Stage stage = await Stage.OpenAsync();
        await using RegistrationClient client = Start(stage);
        await stage.Phone.HearRequestAsync("REGISTER");
        stage.Time.Advance(TimeSpan.FromSeconds(32));
        Assert.Equal(408, (await NextAsync(RegistrationState.Failing)).StatusCode);
    }

    [Fact]
    public async Task When_its_connection_ends_it_registers_again_at_once()
    {
        await using Stage stage = await Stage.OpenAsync(options => options with { Listen = [SipListen.Tcp()] });
        await using RegistrationClient client = Start(stage, null, "sip:127.0.0.9;transport=tcp");
        stage.Phone.Say(Granted(await stage.Phone.HearRequestAsync("REGISTER"), 600));
        await NextAsync(RegistrationState.Registered);
        stage.Network.Disconnect(stage.Server, IPEndPoint.Parse("127.0.0.7:5060"));
        stage.Network.Disconnect(stage.Server, IPEndPoint.Parse("127.0.0.9:5060"));
        await stage.Phone.HearRequestAsync("REGISTER");
        Assert.Equal(2, stage.Phone.Requests("REGISTER").Count);
        await LeaveAsync(stage.Phone, client);
    }

    private RegistrationClient Start(Stage stage, TimeSpan? expires = null, params string[] registrars) => new(
        stage.Endpoint,
        new RegistrationOptions
        {
            AddressOfRecord = SipUri.Parse("sip:100@carrier.example"),
            Registrars = [.. (registrars.Length == 0 ? ["sip:127.0.0.9"] : registrars).Select(SipUri.Parse)],
            Credentials = new SipCredentials("100", "gizli"),
            Expires = expires ?? TimeSpan.FromHours(1),
        },
        stage.Time, new Random(1), status => changes.Writer.TryWrite(status));

    private static byte[] Granted(SipRequest request, int seconds) =>
        IncomingCallTests.Response(request, 200, "r", $"Contact: <sip:100@192.0.2.99:5099>;expires=7\r\nContact: {request.Header("Contact")};expires={seconds}\r\n");

    private async Task<RegistrationStatus> NextAsync(RegistrationState state)
    {
        RegistrationStatus next = await TestApplication.Within(changes.Reader.ReadAsync().AsTask(), state.ToString());
        Assert.Equal(state, next.State);
        return next;
    }

    private static async Task LeaveAsync(ScriptedPhone registrar, RegistrationClient client)
    {
        Task leaving = client.DisposeAsync().AsTask();
        SipRequest last = await registrar.HearRequestAsync("REGISTER");
        Assert.Equal("0", last.Header("Expires"));
        registrar.Say(IncomingCallTests.Response(last, 200, "r"));
        await leaving.WaitAsync(ScriptedPhone.Patience);
        Assert.Equal(RegistrationState.Stopped, client.Status.State);
    }
}
