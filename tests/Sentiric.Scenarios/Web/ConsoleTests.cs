using System.Net.Http.Json;
using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Queries;
using Sentiric.Contracts.Services;
using Sentiric.Phone;
using Sentiric.Scenarios.Kit;
using Sentiric.Sip;
using Sentiric.Testing;
using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Web;

/// <summary>The web console in a real browser after the demo call. SENTIRIC_ACCEPT=1 puts its pictures into docs/images.</summary>
[Collection(Lanes.Quiet)]
[Trait("Category", "Slow")]
public sealed class ConsoleTests(SharedPlatform shared)
{
    private const int Width = 1280, LiveHeight = 640, CallHeight = 1980, StoreHeight = 1900, PhonesHeight = 520;

    [PlatformFact("chromium")]
    public async Task The_live_page_shows_who_calls_and_what_is_said()
    {
        var platform = await shared.GetAsync();
        await shared.DemoAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Assistant);
        await using var browser = await OpenAsync(platform, "#/live", LiveHeight);
        // Pushed into the open page: the call's first words come after it was loaded.
        await browser.TextWithAsync(Calling.KnownCallerName, Calling.Assistant, "talking", "Merhaba Ayşe Yılmaz.");
        await KeepAsync(browser, "console.png");
        await call.HangUpAsync();
        await browser.TextWithAsync("No call is up right now.");
    }

    [PlatformFact("chromium")]
    public async Task A_supervisor_listens_to_a_live_call_on_its_page()
    {
        var platform = await shared.GetAsync();
        await using var phone = await LoopbackPhone.StartAsync();
        await using var call = await platform.AnsweredAsync(phone, Calling.Assistant);
        var record = await platform.Api.CallAsync(call.CallId);
        await platform.Api.StoryWithAsync<AgentTookOver>(record.CallId);
        await using var browser = await OpenAsync(platform, $"#/call/{record.CallId}", CallHeight);
        await browser.TextWithAsync("Beside the call");
        await browser.EvaluateAsync("[...document.querySelectorAll('button')].find(b => b.textContent === 'Listen').click()");
        await browser.TextWithAsync("You hear both sides; nobody hears you.");
        var story = await platform.Api.StoryWithAsync<CallSupervised>(record.CallId);
        Assert.Equal(("key:admin", SupervisionMode.Listen), (story.One<CallSupervised>().By, story.One<CallSupervised>().Mode));
        // Sound that came, two seconds of it, given to Web Audio.
        await browser.EvaluateAsync("import('/console/ear.js').then(ear => setInterval(() => document.title = ear.heardSeconds() > 2 ? 'heard' : 'waiting', 100)).then(() => '')");
        await Until.TrueAsync("two seconds of sound in the browser", async () => await browser.EvaluateAsync("document.title") == "heard", Calling.Patience);
        await browser.EvaluateAsync("[...document.querySelectorAll('button')].find(b => b.textContent === 'Leave').click()");
        await platform.Api.StoryWithAsync<SupervisionEnded>(record.CallId);
        await call.HangUpAsync();
        await platform.Api.EndedCallAsync(call.CallId);
    }

    [PlatformFact("chromium")]
    public async Task The_page_of_a_call_shows_what_was_said_and_why_it_was_routed_there()
    {
        var platform = await shared.GetAsync();
        var demo = await shared.DemoAsync();
        await using var browser = await OpenAsync(platform, $"#/call/{demo.Detail.Record.CallId}", CallHeight);
        var shown = await browser.TextWithAsync(Calling.KnownCallerName, demo.Detail.Transcript[0].Text);
        Assert.All(demo.Detail.Transcript, line => Assert.Contains(line.Text, shown, StringComparison.Ordinal));
        Assert.Equal("0", await browser.EvaluateAsync("document.querySelectorAll('.bad').length - document.querySelectorAll('.badge.bad').length"));
        // Loss and jitter over time: an interval of 5 s at least.
        Assert.NotEqual("0", await browser.EvaluateAsync("document.querySelectorAll('svg rect.loss').length"));
        // The waveform gives its canvas a size of its own.
        await Until.TrueAsync("the waveform to be drawn", async () => await browser.EvaluateAsync("document.querySelector('canvas').height") == "96", Calling.Patience);
        await KeepAsync(browser, "call.png");
    }

    [PlatformFact("chromium")]
    public async Task The_page_of_the_event_store_shows_figures_lag_and_the_log()
    {
        var platform = await shared.GetAsync();
        await shared.DemoAsync();
        await using var browser = await OpenAsync(platform, "#/store", StoreHeight);
        await browser.TextWithAsync("Events per minute", "CallRecords", "relay", "mt_events", "call.ended");
        Assert.Equal("0", await browser.EvaluateAsync("document.querySelectorAll('.card.bad').length"));
        // One bar at least: the demo call was within the hour.
        await Until.TrueAsync("the rate to be drawn", async () => await browser.EvaluateAsync("document.querySelectorAll('svg rect').length > 0") is "True" or "true", Calling.Patience);
        await KeepAsync(browser, "store.png");
    }

    [PlatformFact("chromium")]
    public async Task The_page_of_the_telephones_shows_who_is_registered_and_who_is_not_in_both_languages()
    {
        var platform = await shared.GetAsync();
        var (there, away) = (await ExtensionAsync(platform, "Danışma"), await ExtensionAsync(platform, "Muhasebe"));
        await using var phone = await SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp("127.0.0.1")], UserAgentName = "Masa Telefonu 7" }, new Nobody());
        await using var browser = await OpenAsync(platform, "#/phones", PhonesHeight);
        await browser.TextWithAsync(there, away, "not registered");
        // The open page looks again by itself.
        await RegisterAsync(phone, platform, there);
        await browser.TextWithAsync("Danışma", "registered", $"sip:{there}@{phone.Bindings[0].Address}", $"udp {phone.Bindings[0].Address}", "Masa Telefonu 7", "9 min");
        Assert.Equal("0", await browser.EvaluateAsync("document.querySelectorAll('.card.bad').length"));
        await KeepAsync(browser, "phones.png");
        await PressAsync(browser, "not registered");
        await Until.TrueAsync(
            "only those to be shown that are not registered",
            async () => await browser.EvaluateAsync("document.querySelector('table').innerText") is var shown && shown.Contains(away, StringComparison.Ordinal) && !shown.Contains(there, StringComparison.Ordinal),
            Calling.Patience);
        await PressAsync(browser, "all");
        await browser.EvaluateAsync("document.getElementById('language').click()");
        await browser.TextWithAsync("Telefonlar", "Kalan süre", "kayıtlı değil", there);

        await browser.EvaluateAsync("window.confirm = () => true, ''");
        await browser.EvaluateAsync($"[...document.querySelectorAll('tr')].find(r => r.textContent.includes('{there}')).querySelector('button').click()");
        await Until.TrueAsync(
            "the telephone to be thrown out", async () => (await platform.Api.GetAsync<Page<RegistrationRow>>($"registrations?extension={there}")).Items is [{ State: TelephoneState.NotRegistered }], Calling.Patience);
    }

    [PlatformFact("chromium")]
    public async Task A_verification_on_the_page_of_the_event_store_tells_who_ordered_a_removal_in_both_languages()
    {
        var platform = await shared.GetAsync();
        var name = await ExtensionAsync(platform, "Arşiv");
        await using var phone = await SipEndpoint.StartAsync(new SipEndpointOptions { Listen = [SipListen.Udp("127.0.0.1")] }, new Nobody());
        await RegisterAsync(phone, platform, name);
        await RegisterAsync(phone, platform, name);
        // No read model has rows of a registration: what goes here is missed by no other test.
        var stream = $"events/streams/registration-sentiric-{name}";
        await Until.TrueAsync("both registrations to be stored", async () =>
        {
            using var page = await platform.Api.Http.GetAsync($"v1/{stream}?tenant=system");
            return page.IsSuccessStatusCode && (await page.Content.ReadFromJsonAsync<StreamPage>(Wire.Json))?.Version >= 2;
        }, Calling.Patience);
        // What is not signed yet is gone for the report as well; only what was signed can be shown to be missing.
        await Until.TrueAsync("both to be signed", async () => await platform.Api.GetAsync<AuditState>("events/audit") is { Blocks: > 0, Pending: 0 }, Calling.Patience);
        using var truncated = await platform.Api.Http.PostAsJsonAsync($"v1/{stream}/truncate?tenant=system", new { before_version = 2, reason = "saklama süresi doldu", even_unread = true });
        Assert.True(truncated.IsSuccessStatusCode, await truncated.Content.ReadAsStringAsync());
        Assert.Equal(RemovalOrdering.Ordered, Assert.Single(await platform.Api.GetAsync<TruncationReply[]>($"{stream}/truncations?tenant=system")).Order);

        await using var browser = await OpenAsync(platform, "#/store", StoreHeight);
        await browser.TextWithAsync("Verify the log");
        await PressAsync(browser, "Verify the log");
        await browser.TextWithAsync("as it was signed", "saklama süresi doldu", "key:admin", "ordered", "a key of the platform ordered it");
        await browser.EvaluateAsync("document.getElementById('language').click()");
        await browser.TextWithAsync("imzalandığı gibi", "emirli", "platformun anahtarı emretti");
        // What the browser draws of an order that is missing, or older than the first.
        await browser.EvaluateAsync("""
            import('/console/words.js').then(({ w }) => document.title = ['order_before_orders', 'order_before_orders_means', 'order_not_ordered', 'order_not_ordered_means'].map(w).join('|')).then(() => '')
            """);
        Assert.Equal("ilk emirden önce|kimin emrettiği gösterilemez: bilmeniz gerekir|EMİRSİZ|platformun hiçbir anahtarı buna kefil değil", await browser.EvaluateAsync("document.title"));
    }

    [PlatformFact("chromium")]
    public async Task The_page_of_operations_rebuilds_read_models_alone_and_says_what_was_refused()
    {
        var platform = await shared.GetAsync();
        await using var browser = await OpenAsync(platform, "#/operations", LiveHeight);
        await browser.TextWithAsync("CallRecords", "relay", "Rebuild");
        Assert.Equal("", await browser.EvaluateAsync("[...document.querySelectorAll('main tr')].filter(r => /^(relay|Notary)$/.test(r.cells[0].textContent) && r.querySelector('button')).map(r => r.textContent).join()"));
        await browser.EvaluateAsync("""
            window.fetch = () => Promise.resolve(new Response('{"detail":"The rows differ.","code":"projection.rebuild_differs"}', { status: 422, headers: { 'Content-Type': 'application/problem+json' } })), ''
            """);
        await PressAsync(browser, "Rebuild");
        await browser.TextWithAsync("The rows differ.");
        Assert.Equal("0", await browser.EvaluateAsync("document.querySelectorAll('main button:disabled').length"));
    }

    [PlatformFact("chromium")]
    public async Task The_page_of_operations_speaks_Turkish()
    {
        var platform = await shared.GetAsync();
        await using var browser = await OpenAsync(platform, "#/operations", LiveHeight);
        await browser.TextWithAsync("CallRecords");
        await browser.EvaluateAsync("document.getElementById('language').click()");
        await browser.TextWithAsync("CallRecords", "çalışıyor");
    }

    [PlatformFact("chromium")]
    public async Task The_largest_number_at_the_axis_of_the_rate_is_not_cut()
    {
        var platform = await shared.GetAsync();
        await using var browser = await OpenAsync(platform, "#/operations", LiveHeight);
        await browser.TextWithAsync("CallRecords");
        await browser.EvaluateAsync("""
            import('/console/draw.js').then(({ bars }) => {
              const picture = bars([{ at: '2026-11-22T12:00:00Z', value: 1125174 }], 'tr-TR');
              document.body.append(picture);
              document.title = Math.min(...[...picture.querySelectorAll('text')].map(t => t.getBBox().x)) >= 0 ? 'whole' : 'cut';
            }).then(() => '')
            """);
        Assert.Equal("whole", await browser.EvaluateAsync("document.title"));
    }

    private static Task<string> PressAsync(Chromium browser, string button) => browser.EvaluateAsync($"[...document.querySelectorAll('main button')].find(b => b.textContent === '{button}').click()");

    private static async Task<string> ExtensionAsync(RunningPlatform platform, string user)
    {
        var (id, name) = (Guid.CreateVersion7(), "web-" + Guid.NewGuid().ToString("N")[..6]);
        (await platform.Api.Http.PostAsJsonAsync("v1/users", new { user_id = id, name = user, type = "agent" })).EnsureSuccessStatusCode();
        (await platform.Api.Http.PutAsJsonAsync($"v1/users/{id}/sip-credentials/sentiric/{name}", new { password = RunningPlatform.PhonePassword })).EnsureSuccessStatusCode();
        return name;
    }

    private static async Task RegisterAsync(SipEndpoint phone, RunningPlatform platform, string name)
    {
        var user = NameAddr.Create(null, SipUri.Create(name, "sentiric"));
        var answer = await phone.RequestAsync(new OutgoingRequest
        {
            Method = SipMethod.Register, Target = SipUri.Parse($"sip:127.0.0.1:{platform.SipPort}"), From = user, To = user, Headers = [new("Expires", "600")], WithContact = true,
            Credentials = new SipCredentials(name, RunningPlatform.PhonePassword),
        });
        Assert.Equal(200, answer.StatusCode);
    }

    private sealed class Nobody : ISipApplication
    {
        public Task OnInviteAsync(IncomingInvite invite, CancellationToken stopping) => invite.RejectAsync(486);
    }

    private static async Task<Chromium> OpenAsync(RunningPlatform platform, string page, int height)
    {
        using var http = new HttpClient(new HttpClientHandler { UseCookies = false }) { BaseAddress = platform.Url };
        using var session = await http.PostAsJsonAsync("v1/session", new { key = platform.ApiKey });
        session.EnsureSuccessStatusCode();
        var cookie = session.Headers.GetValues("Set-Cookie").First().Split(';')[0].Split('=', 2);
        var browser = await Chromium.StartAsync(Width, height);
        await browser.SetCookieAsync(platform.Url, cookie[0], Uri.UnescapeDataString(cookie[1]));
        await browser.GoToAsync(new Uri(platform.Url, "console/" + page));
        return browser;
    }

    private static async Task KeepAsync(Chromium browser, string name)
    {
        var accepted = Environment.GetEnvironmentVariable("SENTIRIC_ACCEPT") == "1";
        var folder = accepted ? Repository.PathOf("docs", "images") : Repository.PathOf("TestResults");
        Directory.CreateDirectory(folder);
        await File.WriteAllBytesAsync(Path.Combine(folder, name), await browser.PictureAsync());
    }
}
