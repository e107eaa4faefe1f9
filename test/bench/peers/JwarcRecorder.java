import java.io.FileOutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.netpreserve.jwarc.WarcCompression;
import org.netpreserve.jwarc.WarcWriter;
import org.netpreserve.jwarc.net.WarcRecorder;

/**
 * `java -cp jwarc.jar JwarcRecorder.java PORT FILE`: what `jwarc recorder` does, but listening on the loopback address only, and
 * not verifying the origin.
 */
public class JwarcRecorder {
    public static void main(String[] args) throws Exception {
        var context = SSLContext.getInstance("TLS");
        context.init(null, new TrustManager[] {new TrustAll()}, new SecureRandom());
        SSLContext.setDefault(context);
        var socket = new ServerSocket(Integer.parseInt(args[0]), 4096, InetAddress.getByName("127.0.0.1"));
        var writer = new WarcWriter(new FileOutputStream(args[1]).getChannel(), WarcCompression.GZIP);
        new WarcRecorder(socket, writer).listen();
    }

    private static class TrustAll extends X509ExtendedTrustManager {
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
