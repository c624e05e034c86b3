using System.Diagnostics;
using Sentiric.Sip.Tests.Kit;
using Sentiric.Testing.Platform;

namespace Sentiric.Sip.Tests.UserAgent;

/// <summary>Calls with sipp, an independent implementation, over loopback; skipped where it is not installed.</summary>
public sealed class SippTests
{
    private static readonly string? Sipp = new[] { "/usr/bin/sipp", "/usr/local/bin/sipp" }.FirstOrDefault(File.Exists);

    [SippTheory]
    [InlineData(SipTransportKind.Udp, "u1")]
    [InlineData(SipTransportKind.Tcp, "t1")]
    public async Task A_call_of_sipps_own_caller_is_answered_and_ended(SipTransportKind transport, string mode)
    {
        var application = new TestApplication();
        var ends = new List<Task<SipDialogEnd>>();
        application.Answering = async invite =>
        {
            await invite.RingingAsync();
            SipAnswerResult result = await invite.AnswerAsync(ScriptedPhone.Sdp);
            Assert.True(result.IsEstablished);
            lock (ends)
            {
                ends.Add(result.Dialog.Ended);
            }
        };
        await using SipEndpoint endpoint = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp(), SipListen.Tcp()] }, application);
        string target = endpoint.Binding(transport).Address.ToString();

        var (exit, output) = await RunAsync("-sn", "uac", target, "-t", mode, "-i", "127.0.0.1", "-m", "40", "-r", "40", "-d", "200", "-timeout", "50s", "-nostdin", "-trace_err");

        Assert.True(exit == 0, output);
        Assert.Equal(40, application.Calls);
        SipDialogEnd[] all = await TestApplication.Within(Task.WhenAll(ends), "every dialog to end");
        Assert.All(all, end => Assert.Equal(SipDialogEndCause.RemoteBye, end.Cause));
        Assert.Equal(0, endpoint.Statistics.Dialogs);
        Assert.Contains(application.Traces, trace => trace.StartLine == "SIP/2.0 100 Trying");
        Assert.Contains(application.Traces, trace => trace.StartLine == "SIP/2.0 180 Ringing");
    }

    [Trait("Category", "Slow")]
    [SippTheory]
    [InlineData(SipTransportKind.Udp, "u1")]
    [InlineData(SipTransportKind.Tcp, "t1")]
    public async Task A_call_to_sipps_own_callee_is_answered_and_ended(SipTransportKind transport, string mode)
    {
        await using SipEndpoint endpoint = await SipEndpoint.StartAsync(new() { Listen = [SipListen.Udp(), SipListen.Tcp()] }, new TestApplication());
        int port = FreePorts.Next();
        Task<(int Exit, string Output)> sipp = RunAsync("-sn", "uas", "-t", mode, "-i", "127.0.0.1", "-p", $"{port}", "-m", "1", "-timeout", "50s", "-nostdin", "-trace_err");
        OutgoingCallResult result = await CallAsync(endpoint, transport, port);

        Assert.True(result.IsAnswered, $"{result.StatusCode} {result.Reason}");
        Assert.Contains("m=audio", result.Sdp, StringComparison.Ordinal);
        await result.Dialog.ByeAsync("Q.850;cause=16;text=\"Normal call clearing\"");
        Assert.Equal(16, (await result.Dialog.Ended).Q850Cause);
        var (exit, output) = await TestApplication.Within(sipp, "sipp to end");
        Assert.True(exit == 0, output);
    }

    /// <summary>sipp needs a moment to listen: UDP repeats the INVITE by itself, TCP is refused until then and is tried again.</summary>
    private static async Task<OutgoingCallResult> CallAsync(SipEndpoint endpoint, SipTransportKind transport, int port)
    {
        var since = Stopwatch.StartNew();
        while (true)
        {
            OutgoingCall call = await endpoint.InviteAsync(new OutgoingInvite
            {
                Target = SipUri.Parse($"sip:service@127.0.0.1:{port}"),
                From = NameAddr.Create("Ayşe", SipUri.Parse("sip:ayse@127.0.0.1")),
                Offer = ScriptedPhone.Sdp,
                Transport = transport,
            });
            OutgoingCallResult result = await TestApplication.Within(call.Completed, "the call to complete");
            if (result.StatusCode != 503 || since.Elapsed > ScriptedPhone.Patience)
            {
                return result;
            }
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(params string[] arguments)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("sipp-");
        using Process process = Process.Start(new ProcessStartInfo(Sipp!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.FullName,
            Environment = { ["TERM"] = "dumb" },
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
        }

        string log = string.Concat(folder.GetFiles("*errors.log").Select(file => File.ReadAllText(file.FullName)));
        string all = $"sipp {string.Join(' ', arguments)}\n{await output}\n{await errors}\n{log}";
        folder.Delete(recursive: true);
        return (process.HasExited ? process.ExitCode : -1, all);
    }

    private sealed class SippTheoryAttribute : TheoryAttribute
    {
        public SippTheoryAttribute()
        {
            if (Sipp is null)
            {
                Skip = "sipp is not installed (Debian package sip-tester).";
            }
        }
    }
}
